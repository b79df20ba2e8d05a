/** Work on many things, several at a time. */

/**
 * Works on all, `limit` of them at a time, and gives what came of each, in order. What one
 * throws is thrown once nobody works any more, so that the caller may close what they share.
 */
export async function atOnce<T, R>(
  limit: number,
  all: readonly T[],
  work: (each: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = all.entries();
  const worker = async (): Promise<void> => {
    for (const [i, each] of left) results[i] = await work(each);
  };
  const workers = Array.from({ length: Math.min(limit, all.length) }, worker);
  for (const end of await Promise.allSettled(workers)) {
    if (end.status === 'rejected') throw end.reason;
  }
  return results;
}

/** Runs what it is given, `limit` at a time; the rest waits in order. */
export function atMost(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

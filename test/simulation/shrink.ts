/**
 * Runs a seeded history of which a prefix is a history too; one that fails is run again
 * with fewer steps, to report the shortest prefix that fails.
 */
export type RunSteps = (seed: number, steps: number, story: string[]) => Promise<unknown>;

/** Throws an Error that tells the seed, the steps and their story. */
export async function runShrinking(run: RunSteps, seed: number, steps: number): Promise<void> {
  const found = await failureOf(run, seed, steps);
  if (found === null) return;
  let last = { steps, ...found };
  // A shorter prefix may pass by luck and a longer one fail: each length has its own end.
  for (let fewer = 1; fewer < steps; fewer++) {
    const failure = await failureOf(run, seed, fewer);
    if (failure === null) continue;
    last = { steps: fewer, ...failure };
    break;
  }
  const story = last.story.map((line, index) => `  ${index + 1}. ${line}`).join('\n');
  const message = last.cause instanceof Error ? last.cause.message : String(last.cause);
  throw new Error(`seed ${seed}, ${last.steps} of ${steps} steps: ${message}\n${story}`, {
    cause: last.cause,
  });
}

async function failureOf(
  run: RunSteps,
  seed: number,
  steps: number,
): Promise<{ readonly cause: unknown; readonly story: readonly string[] } | null> {
  const story: string[] = [];
  try {
    await run(seed, steps, story);
    return null;
  } catch (cause) {
    return { cause, story };
  }
}

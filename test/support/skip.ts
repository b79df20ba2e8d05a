/** Skips with a reason that the report shows; a skip without one can't be told from neglect. */

/** Call as `skip(this, 'why')` in a test or a `before` hook. Doesn't return. */
export function skip(context: Mocha.Context, reason: string): never {
  const runnable = context.runnable() as Mocha.Hook | Mocha.Test;
  const tests: Mocha.Test[] = [];
  if (runnable.type === 'hook') runnable.parent?.eachTest((test) => void tests.push(test));
  else tests.push(runnable);
  for (const test of tests) test.title += ` (${reason})`;
  return context.skip();
}

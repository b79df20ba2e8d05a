/** What all conformance suites say in the same way. Leaves out what one port alone has. */
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/core/errors.js';
import { WnError } from '../../src/core/errors.js';

/** Paths that lead out of the root or aren't one path: each port must refuse them all. */
export const HOSTILE_PATHS: readonly string[] = [
  ...['/', '/etc/passwd', '//a', 'a//b', 'a/', '.', '..', './a', 'a/.', 'a/./b'],
  ...['../a', 'a/..', 'a/../b', 'a/../../b', 'a\0b', '\0', 'a\ud800', 'a/\udfff/b'],
];

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'utf8'));
}

export function text(of: Uint8Array | null | undefined): string | null {
  return of === null || of === undefined ? null : Buffer.from(of).toString('utf8');
}

/** Fails unless `error` is ours, with that code and a message for people. */
export function assertCode(error: unknown, code: ErrorCode, what: string): void {
  if (!(error instanceof WnError)) {
    assert.fail(`${what}: expected WnError('${code}'), got ${String(error)}`);
  }
  assert.equal(error.code, code, `${what}: ${error.message}`);
  assert.notEqual(error.message, '', `${what}: no message`);
}

export async function rejects(run: Promise<unknown>, code: ErrorCode, what = ''): Promise<void> {
  const outcome = await run.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) assert.fail(`${what}: expected WnError('${code}'), none thrown`);
  assertCode(outcome.error, code, what);
}

export function throws(run: () => unknown, code: ErrorCode, what = ''): void {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    assertCode(error, code, what);
    return;
  }
  assert.fail(`${what}: expected WnError('${code}'), got ${String(value)}`);
}

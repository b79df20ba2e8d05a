/** Recorded editing sessions, whole, through real repositories: CI replays the beginnings. */
import assert from 'node:assert/strict';
import { atOnce, replay } from '../conform/replay.js';
import { loadTrace, traceNames } from '../support/traces.js';

/** The trace of that number, from 1; tells what it came to. Throws where it ends otherwise. */
export async function runTrace(number: number): Promise<string> {
  const names = traceNames();
  const name = names[(number - 1) % names.length];
  assert.ok(name !== undefined, 'the editing traces are not on this machine');
  const trace = loadTrace(name);
  const { devices, commits, bundles, texts } = await replay(trace, atOnce(trace));
  for (const text of texts) assert.ok(text === trace.endContent, `${name}: another end`);
  return `${name}: ${devices} devices, ${commits} commits, ${bundles} bundles`;
}

/** Whether `wn` takes a command line that a deploy file holds, without running it. */
import assert from 'node:assert/strict';

import { describeAll } from '../../src/cli/describe.js';

/** `words` without `wn`. Fails the test for a command or flag that there isn't. */
export async function checkLine(words: readonly string[]): Promise<void> {
  const commands = await describeAll();
  const line = words[0] === '-C' ? words.slice(2) : words;
  const found = [line.slice(0, 2).join(' '), line[0] ?? '']
    .map((id) => commands.find((command) => command.id === id))
    .find((command) => command !== undefined);
  assert.ok(found !== undefined, `no such command: wn ${words.join(' ')}`);
  const known = new Set(found.flags.map(({ name }) => `--${name}`));
  for (const word of line.filter((each) => each.startsWith('--'))) {
    assert.ok(known.has(word), `wn ${found.id} has no ${word}`);
  }
  for (const { name, required } of found.flags as readonly { name: string; required?: boolean }[]) {
    assert.ok(required !== true || line.includes(`--${name}`), `wn ${found.id} needs --${name}`);
  }
}

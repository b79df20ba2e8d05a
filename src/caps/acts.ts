/**
 * Rights: the bits of a capability's `act`, and their names on the command line. What
 * each right permits is the verdict's business.
 */
import { WnError } from '../core/errors.js';

export const ACT = {
  read: 1,
  create: 2,
  write: 4,
  delete: 8,
  delegate: 16,
  admin: 32,
  strong: 64,
  execute: 128,
  vote: 256,
  purge: 512,
} as const;

export type Act = keyof typeof ACT;

const NAMES = Object.keys(ACT) as readonly Act[];

/** Every right that this version knows; a greater number holds one that it doesn't. */
export const ALL_ACTS: number = NAMES.reduce((bits, name) => bits | ACT[name], 0);

/** What `--act write` means: a writer who could not read, add or remove would be of no use. */
export const WRITE_ACTS: number = ACT.read | ACT.create | ACT.write | ACT.delete;

/** True iff `acts` holds every right of `needed`. Both at most `ALL_ACTS`. */
export function hasActs(acts: number, needed: number): boolean {
  return (acts & needed) === needed;
}

/** Bits of a comma-separated list of names. Throws `usage` for an empty list or a foreign name. */
export function parseActs(text: string): number {
  return text.split(',').reduce((bits, part) => {
    const name = NAMES.find((known) => known === part.trim());
    if (name === undefined) {
      throw new WnError('usage', `${JSON.stringify(part.trim())} is not a right.`, {
        hint: `rights: ${NAMES.join(', ')}; write means read, create, write and delete`,
      });
    }
    return bits | (name === 'write' ? WRITE_ACTS : ACT[name]);
  }, 0);
}

/** The name of each right held, in the order of the bits. */
export function showActs(acts: number): string {
  return NAMES.filter((name) => hasActs(acts, ACT[name])).join(',');
}

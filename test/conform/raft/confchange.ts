/** The commands of `confchange/`: changes to one configuration, and what is known of its members. */
import {
  changeSimply,
  enterJoint,
  leaveJoint,
  type Changed,
} from '../../../src/consensus/raft/confchange.js';
import { Tracker } from '../../../src/consensus/raft/tracker.js';
import type { ConfChangeSingle } from '../../../src/consensus/raft/types.js';
import { WnError } from '../../../src/core/errors.js';
import { toNumber, valuesNamed, type Directive } from './datadriven.js';
import { describeConf, describeProgress } from './describe.js';

const TYPES = { v: 'voter', l: 'learner', r: 'remove', u: 'update' } as const;

/** `v1 l2 r3 u4`. */
export function parseChanges(text: string): readonly ConfChangeSingle[] {
  return text
    .split(' ')
    .filter((token) => token !== '')
    .map((token) => {
      const type = TYPES[token.charAt(0) as keyof typeof TYPES];
      if (type === undefined) throw new WnError('invalid', `unknown input: ${token}`);
      return { type, id: toNumber(token.slice(1)) };
    });
}

/** Runs the directives of one file, each on what the last has left. */
export function confChangeRunner(): (directive: Directive) => string {
  const tracker = new Tracker(10, Infinity);
  let lastIndex = -1;
  return (directive) => {
    lastIndex++;
    try {
      const { conf, kept } = change(tracker, directive);
      tracker.switchTo(conf, kept, lastIndex);
    } catch (error) {
      if (error instanceof WnError) return `${error.message}\n`;
      throw error;
    }
    const progress = new Map([...tracker.progress].map(([id, member]) => [id, member.status()]));
    return `${describeConf(tracker.conf)}\n${describeProgress(progress)}`;
  };
}

function change({ conf }: Tracker, directive: Directive): Changed {
  const changes = parseChanges(directive.input.replaceAll('\n', ' '));
  switch (directive.command) {
    case 'simple':
      return changeSimply(conf, changes);
    case 'enter-joint':
      return enterJoint(conf, changes, valuesNamed(directive, 'autoleave').includes('true'));
    case 'leave-joint':
      if (changes.length > 0) throw new WnError('invalid', 'this command takes no input');
      return leaveJoint(conf);
    default:
      throw new Error(`unknown command: ${directive.command}`);
  }
}

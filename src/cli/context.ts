/**
 * What a command is given: where it stands, how it may speak, and what outlives it in
 * a batch. The repository itself is opened through `repository.ts`, which keeps it in
 * `shared.session`; here is only the part that the base class and `batch` need.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { WnError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import type { Interruption } from './interrupt.js';
import type { Style } from './output.js';
import type { Sink } from './sink.js';

/**
 * An open repository. A command alone has it closed when it ends; in a batch it stays
 * open, and every answer of a group is held back until one `flush` made all durable.
 */
export interface Session {
  /** Makes everything recorded so far durable; the lock stays, files follow with `flush`. */
  sync(): Promise<void>;
  /** Makes everything recorded so far durable, brings files in step and lets go of the lock. */
  flush(): Promise<void>;
  /** Flushes and closes. */
  close(): Promise<void>;
}

/** The only state that commands of one process share. */
export interface Shared {
  session: Session | undefined;
}

export interface Context {
  /** Absolute; `-C` is applied. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly quiet: boolean;
  /** A line of `wn batch`: standard input is the batch's, and nobody can be asked. */
  readonly inBatch: boolean;
  /** How long to wait for a lock that another process holds. */
  readonly lockTimeoutMs: number;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Colours for stdout; the identity where they aren't wanted. */
  readonly style: Style;
  /** Somebody is at a terminal and may be asked. Never with `--json` or `CI=true`. */
  readonly interactive: boolean;
  readonly clock: Clock;
  /** Aborted by Ctrl-C, SIGTERM and a reader that went away. */
  readonly interruption: Interruption;
  readonly shared: Shared;
}

/** Flushes and closes what the command left open; safe to call twice. */
export async function closeSession(context: Context): Promise<void> {
  const { session } = context.shared;
  context.shared.session = undefined;
  await session?.close();
}

/** The global flags as the parser gives them. */
export interface GlobalFlagValues {
  readonly directory?: string | undefined;
  readonly json: boolean | undefined;
  readonly quiet: boolean;
  readonly 'lock-timeout': number;
}

/** Throws `usage` if `-C` names no folder, or stands on a line of a batch. Colours were settled before, with the sinks. */
export function withGlobalFlags(context: Context, flags: GlobalFlagValues): Context {
  if (context.inBatch && flags.directory !== undefined) {
    throw new WnError('usage', 'a line of a batch has the folder of the batch', {
      hint: 'give it once: wn -C DIR batch',
    });
  }
  const json = context.json || flags.json === true;
  return {
    ...context,
    cwd: flags.directory === undefined ? context.cwd : folder(context.cwd, flags.directory),
    json,
    quiet: context.quiet || flags.quiet,
    interactive: context.interactive && !json,
    lockTimeoutMs: flags['lock-timeout'],
  };
}

function folder(cwd: string, directory: string): string {
  const path = resolve(cwd, directory);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new WnError('usage', `no such folder: ${directory}`, { hint: '-C takes a folder' });
  }
  return path;
}

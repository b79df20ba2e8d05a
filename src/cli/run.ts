/**
 * Runs one line: finds the command, makes it, runs it. Shared by the process's own line
 * (`main.ts`) and the lines of a batch.
 */
import { Config } from '@oclif/core/config';

import type { CommandClass, WnCommand } from './command.js';
import { VERSION } from './commandTable.js';
import type { Context } from './context.js';
import { loadCommand } from './describe.js';
import { hasFlag, locate } from './locate.js';

export type AnyCommand = WnCommand<CommandClass, unknown>;

export interface Prepared {
  readonly id: string;
  readonly command: AnyCommand;
  readonly class: CommandClass;
}

/**
 * oclif's configuration with what a command asks of it. Loading it the usual way would scan
 * for plugins, which takes longer than most commands; the table of commands replaces that.
 */
let config: Config | undefined;

export function oclifConfig(): Config {
  if (config === undefined) {
    config = new Config({ root: import.meta.dirname });
    config.bin = 'wn';
    config.name = 'wn';
    config.version = VERSION;
    config.userAgent = `wn/${VERSION}`;
    config.topicSeparator = ' ';
  }
  return config;
}

/** Classes are loaded once; a batch runs the same few thousands of times. */
const loaded = new Map<string, CommandClass>();

/** Throws `usage` where the line names no command. */
export async function prepare(argv: readonly string[], context: Context): Promise<Prepared> {
  const { id, argv: rest } = rerouteHelp(argv);
  let commandClass = loaded.get(id);
  if (commandClass === undefined) {
    commandClass = await loadCommand(id);
    loaded.set(id, commandClass);
  }
  const command = new commandClass([...rest], oclifConfig(), context);
  return { id, command, class: commandClass };
}

/** `wn`, `wn --version`, `wn X --help` are all answered by `help`. */
function rerouteHelp(argv: readonly string[]): { id: string; argv: readonly string[] } {
  const { id, argv: rest } = locate(argv);
  if (id !== undefined && (id === 'help' || !hasFlag(rest, '--help', '-h'))) {
    return { id, argv: rest };
  }
  const json = hasFlag(argv, '--json') ? ['--json'] : [];
  if (id === undefined) {
    return { id: 'help', argv: hasFlag(argv, '--version') ? ['--version', ...json] : json };
  }
  return { id: 'help', argv: [...id.split(' '), ...json] };
}

/**
 * What the command classes say about themselves, as plain data in oclif's manifest form.
 * Help, manual, command reference and completion are all made from it, so that they
 * can't differ.
 */
import type { CommandClass } from './command.js';
import { COMMANDS } from './commandTable.js';

export interface ArgDescription {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required?: boolean | undefined;
  readonly multiple?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
}

export interface FlagDescription {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly description?: string | undefined;
  readonly helpGroup?: string | undefined;
  readonly helpValue?: string | undefined;
  readonly options?: readonly string[] | undefined;
  readonly multiple?: boolean | undefined;
  readonly required?: boolean | undefined;
  readonly allowNo?: boolean | undefined;
}

export interface CommandDescription {
  /** Words with a blank between: `remote add`. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string | undefined;
  readonly args: readonly ArgDescription[];
  readonly flags: readonly FlagDescription[];
  readonly examples: readonly string[];
  readonly result?: string | undefined;
  readonly trailing?: string | undefined;
  readonly hidden: boolean;
}

export function describeCommand(command: CommandClass, id: string): CommandDescription {
  const args = Object.entries(command.args).map(([name, arg]) => ({
    name,
    description: arg.description,
    required: arg.required,
    multiple: arg.multiple,
    options: arg.options as readonly string[] | undefined,
  }));
  const flags = Object.entries({ ...command.flags, ...command.baseFlags })
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, flag]): FlagDescription => ({
      name,
      type: flag.type,
      char: flag.char,
      description: flag.description ?? flag.summary,
      helpGroup: flag.helpGroup,
      required: flag.required,
      ...(flag.type === 'boolean'
        ? { allowNo: flag.allowNo }
        : {
            helpValue: [flag.helpValue].flat()[0],
            options: flag.options,
            multiple: flag.multiple,
          }),
    }));
  return {
    id,
    summary: command.summary ?? '',
    description: command.description,
    args: args.filter((arg) => command.args[arg.name]?.hidden !== true),
    flags,
    examples: command.examples.map((example) =>
      typeof example === 'string' ? example : `${example.command}  # ${example.description}`,
    ),
    result: command.result,
    trailing: command.trailing,
    hidden: command.hidden,
  };
}

/** Loads every command; for the build and the generators, not for a command that must be quick. */
export async function describeAll(): Promise<readonly CommandDescription[]> {
  const ids = Object.keys(COMMANDS).sort();
  return Promise.all(ids.map(async (id) => describeCommand(await loadCommand(id), id)));
}

/** The class of a command. `id` is a key of the table. */
export async function loadCommand(id: string): Promise<CommandClass> {
  const load = COMMANDS[id];
  if (load === undefined) throw new Error(`bug: no command ${id}`);
  const { default: command } = (await load()) as unknown as { default: CommandClass };
  command.id = id;
  return command;
}

/**
 * The base of every command. A command file is one verb: it says what it takes, calls one
 * domain function, returns a plain object, and knows how to show that object.
 *
 *     import { Args, Flags, WnCommand } from '../cli/command.js';
 *     import type { TextOutput } from '../cli/output.js';
 *
 *     interface MoveResult { readonly from: string; readonly to: string }
 *
 *     export default class Move extends WnCommand<typeof Move, MoveResult> {
 *       static override readonly summary = 'Move a worknode';           // one line, no full stop
 *       static override readonly description = 'More, in sentences.';
 *       static override readonly args = { from: Args.string({ required: true, description: '…' }) };
 *       static override readonly flags = { message: Flags.string({ char: 'm', description: '…' }) };
 *       static override readonly examples = ['wn mv a.md b.md'];
 *       static override readonly result = '{from, to}';                 // shown in the manual
 *
 *       protected async execute(): Promise<MoveResult> {
 *         const repository = await openRepository(this.context);        // this.args, this.flags
 *         return repository.move(this.args.from, …);
 *       }
 *
 *       protected render(result: MoveResult, out: TextOutput): void {
 *         out.line`moved ${out.style.bold(result.from)} to ${result.to}`; // a tag: escapes what it is given
 *       }
 *     }
 *
 * A file's path is its name: `src/commands/remote/add.ts` is `wn remote add`, two levels at
 * most. `npm run gen` enters it into the table, the manual and the completion.
 * Fail by throwing `WnError`; return `new Outcome(result, EXIT.partly)` for half a success;
 * a stream calls `print` for each item and returns nothing. Never call `process.exit` and
 * never write to stdout or stderr other than through `render`, `print` and `notice`.
 */
import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import type { Interfaces } from '@oclif/core';

import { withGlobalFlags, type Context, type GlobalFlagValues } from './context.js';
import { toFailure } from './failure.js';
import { globalFlags } from './flags.js';
import { encodeJson, endingOf, endingOfError, type Ending, type Outcome } from './outcome.js';
import { TextOutput } from './output.js';
import { parseLine, type Parsable } from './parse.js';
import { present } from './present.js';
import { escapeTerminal } from './terminal.js';

export { Args, Flags } from './flags.js';
export { Outcome } from './outcome.js';

/** What a command file exports as default. */
export interface CommandClass extends Parsable {
  new (argv: string[], config: Config, context: Context): WnCommand<CommandClass, unknown>;
  readonly summary?: string;
  readonly description?: string | undefined;
  readonly examples: readonly Command.Example[];
  readonly result?: string | undefined;
  readonly trailing?: string | undefined;
  readonly endless: boolean | string;
  readonly graceMs: number;
  readonly paged: boolean;
  readonly hidden: boolean;
}

type Described = Pick<typeof Command, 'args' | 'flags'>;

export abstract class WnCommand<Class extends Described, Result> extends Command {
  static override readonly baseFlags = globalFlags;
  static override readonly examples: Command.Example[] = [];
  /** What `--json` gives as `result`, for the manual. */
  static readonly result: string | undefined = undefined;
  /** The name of what may follow `--` (`COMMAND`); it arrives unparsed in `this.trailing`. */
  static readonly trailing: string | undefined = undefined;
  /** Runs until it is stopped (a server, `watch`), or with the flag of that name (`follow`): not for `batch`. */
  static readonly endless: boolean | string = false;
  /** How long it may take to end by itself once it is interrupted. */
  static readonly graceMs: number = 2_000;
  /** Long text that is worth a pager on a terminal. */
  static readonly paged: boolean = false;

  protected args!: Interfaces.InferredArgs<Class['args']>;
  protected flags!: Interfaces.InferredFlags<Class['flags'] & typeof globalFlags>;
  protected trailing: readonly string[] = [];

  constructor(
    argv: string[],
    config: Config,
    protected context: Context,
  ) {
    super(argv, config);
  }

  /** Does the work. Throws `WnError`; returns nothing if everything was printed on the way. */
  protected abstract execute(): Promise<Result | Outcome<Result> | undefined>;

  /** Shows what `execute` returned (or `print` was given) to people. */
  protected abstract render(result: Result, out: TextOutput): void;

  /** Parses the line and executes it. Never throws: a failure is an ending too. */
  override async run(): Promise<Ending<Result>> {
    try {
      await this.#takeLine();
      const returned = await this.execute();
      return returned === undefined ? { exit: 0 } : endingOf<Result>(returned);
    } catch (error) {
      return endingOfError(toFailure(error)) as Ending<Result>;
    }
  }

  /** The text for people; empty if there is no result. */
  text(ending: Ending<Result>): TextOutput {
    const out = new TextOutput(this.context.style);
    if (ending.result !== undefined) this.render(ending.result, out);
    return out;
  }

  /** One item of a stream: a line of JSON, or its text, at once. */
  protected async print(item: Result): Promise<void> {
    const ending: Ending<Result> = { result: item, exit: 0 };
    await present(this.context, ending, { text: () => this.text(ending) });
  }

  /** What a daemon says once it serves: the document as it is with `--json`, else the text. */
  protected async announce(
    document: Readonly<Record<string, unknown>>,
    text: string,
  ): Promise<void> {
    const line = this.context.json ? encodeJson(document) : escapeTerminal(text);
    await this.context.stdout.write(`${line}\n`);
  }

  /** A remark beside the result, on stderr; `--quiet` silences it. */
  protected async notice(text: string): Promise<void> {
    if (this.context.quiet || this.context.inBatch) return;
    await this.context.stderr.write(`${escapeTerminal(text)}\n`);
  }

  async #takeLine(): Promise<void> {
    const ctor = this.constructor as unknown as CommandClass;
    const end = ctor.trailing === undefined ? -1 : this.argv.indexOf('--');
    if (end !== -1) this.trailing = this.argv.slice(end + 1);
    const parsed = await parseLine(ctor, end === -1 ? this.argv : this.argv.slice(0, end));
    this.parsed = true;
    this.args = parsed.args as typeof this.args;
    this.flags = parsed.flags as typeof this.flags;
    this.context = withGlobalFlags(this.context, parsed.flags as unknown as GlobalFlagValues);
  }
}

/** Runs the commands that stand on standard input. */
import { Outcome, WnCommand } from '../cli/command.js';
import { runBatch } from '../cli/batch.js';
import { stdinChunks } from '../cli/stdin.js';

export default class Batch extends WnCommand<typeof Batch, undefined> {
  static override readonly summary = 'Run many commands in one process';
  static override readonly description =
    'Reads one command a line from standard input: words as in a shell (quotes work, nothing ' +
    'else of a shell does), or a JSON array of strings. Blank lines and lines that start with ' +
    '# are skipped. Answers each line with one JSON document, in order, once it is durable; ' +
    'it never waits for the next line. Commands that do not end by themselves cannot run here. ' +
    'Exits with 3 if a line failed.';
  static override readonly examples = [
    "printf 'set a.md status=done\\nset b.md status=done\\n' | wn batch",
    `echo '["new","c.md","--body","two\\nlines"]' | wn batch`,
  ];
  static override readonly result = 'a line for each command: {ok, line, result | error, exit}';

  protected async execute(): Promise<Outcome<undefined>> {
    return new Outcome(undefined, await runBatch(this.context, stdinChunks(this.context)));
  }

  protected render(): void {
    // Every line was answered on the way.
  }
}

/** Prints a completion script; it is made from the same table as the manual. */
import { Args, WnCommand } from '../cli/command.js';
import { completionScript, SHELLS, type Shell } from '../cli/completion.js';
import { readDescriptions } from '../cli/manifest.js';
import type { TextOutput } from '../cli/output.js';

interface CompletionResult {
  readonly shell: Shell;
  readonly script: string;
}

export default class Completion extends WnCommand<typeof Completion, CompletionResult> {
  static override readonly summary = 'Print a completion script for your shell';
  static override readonly description =
    'Load it from the start-up file of the shell, as the examples show. It completes commands, ' +
    'their flags and the values of flags that have a fixed set.';
  static override readonly args = {
    shell: Args.option({ options: SHELLS })({ required: true, description: 'Which shell.' }),
  };
  static override readonly examples = [
    'source <(wn completion bash)',
    'wn completion zsh > "${fpath[1]}/_wn"',
    'wn completion fish > ~/.config/fish/completions/wn.fish',
  ];
  static override readonly result = '{shell, script}';

  protected async execute(): Promise<CompletionResult> {
    const { shell } = this.args;
    return { shell, script: completionScript(shell, await readDescriptions()) };
  }

  protected render({ script }: CompletionResult, out: TextOutput): void {
    out.raw(script);
  }
}

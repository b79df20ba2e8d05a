/** Takes an undo back. */
import { WnCommand, type Outcome } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { renderUndone, undoneResult, type UndoneResult } from '../cli/undone.js';
import { redo } from '../tree/undo.js';

export default class Redo extends WnCommand<typeof Redo, UndoneResult> {
  static override readonly summary = 'Take an undo back';
  static override readonly description =
    'The newest undo of this device that is still in effect. As wn undo, it changes back only ' +
    'what nobody has changed since; the rest is listed, and the exit is 3.';
  static override readonly examples = ['wn undo && wn redo'];
  static override readonly result =
    '{commit, hlc, ops, level, undone, notUndone: [{path, field?, why}]}';

  protected async execute(): Promise<UndoneResult | Outcome<UndoneResult>> {
    const { work } = await openRepository(this.context);
    return undoneResult(await redo(work));
  }

  protected render(result: UndoneResult, out: TextOutput): void {
    renderUndone(result, out, 'taken back');
  }
}

/** Git's `rebase`, answered with what to do instead. */
import { HabitCommand } from '../cli/habit.js';
import { WnError } from '../core/errors.js';

export default class Rebase extends HabitCommand {
  static override readonly summary = 'Not needed: history is never rewritten';

  protected execute(): Promise<never> {
    return Promise.reject(
      new WnError(
        'usage',
        'wn never rewrites history: commits that others may have stay as they are',
        { hint: 'wn undo COMMIT makes a commit that takes another back' },
      ),
    );
  }
}

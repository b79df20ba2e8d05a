/** Git's `stash`, answered with what to do instead. */
import { HabitCommand } from '../cli/habit.js';
import { WnError } from '../core/errors.js';

export default class Stash extends HabitCommand {
  static override readonly summary = 'Not here: wn commit, and wn undo later';

  protected execute(): Promise<never> {
    return Promise.reject(
      new WnError('usage', 'wn has no stash: a commit is cheap, and can be undone at any time', {
        hint: 'wn commit -m wip now, wn undo later',
      }),
    );
  }
}

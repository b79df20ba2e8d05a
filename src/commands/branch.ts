/** Git's `branch`, answered with what to do instead. */
import { HabitCommand } from '../cli/habit.js';
import { WnError } from '../core/errors.js';

export default class Branch extends HabitCommand {
  static override readonly summary = 'Not here: a clone is what a branch is elsewhere';

  protected execute(): Promise<never> {
    return Promise.reject(
      new WnError(
        'usage',
        'wn has no branches: every device works on its own copy, and copies are merged when they sync',
        { hint: 'wn clone . ../copy makes a copy to try something in' },
      ),
    );
  }
}

/** Git's `checkout`, answered with what to do instead. */
import { HabitCommand } from '../cli/habit.js';
import { WnError } from '../core/errors.js';

export default class Checkout extends HabitCommand {
  static override readonly summary = 'Not here: wn show --at shows an earlier state';

  protected execute(): Promise<never> {
    return Promise.reject(
      new WnError(
        'usage',
        'wn has no branches to check out: the folder always shows everything that was recorded',
        {
          hint: 'wn show PATH --at REV shows an earlier state, wn undo COMMIT takes a change back',
        },
      ),
    );
  }
}

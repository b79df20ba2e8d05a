/** Git's `merge`, answered with what to do instead. */
import { HabitCommand } from '../cli/habit.js';
import { WnError } from '../core/errors.js';

export default class Merge extends HabitCommand {
  static override readonly summary = 'Not needed: wn sync merges';

  protected execute(): Promise<never> {
    return Promise.reject(
      new WnError(
        'usage',
        'wn merges by itself whenever it syncs, field by field and letter by letter',
        { hint: 'wn sync exchanges and merges, wn conflicts shows overlaps with both sides' },
      ),
    );
  }
}

/** Git's `add`, which isn't needed. */
import { HabitCommand, type HabitResult } from '../cli/habit.js';

export default class Add extends HabitCommand {
  static override readonly summary = 'Not needed: wn commit records every change';

  protected execute(): Promise<HabitResult> {
    return Promise.resolve({
      message:
        'nothing to add: wn has no staging area, and wn commit records every change (or only the paths you name)',
    });
  }
}

/**
 * Commands that Git has and we don't: whoever types one out of habit gets one useful
 * sentence. Their lines aren't parsed, so that no flag of Git's hides it.
 */
import { WnCommand } from './command.js';
import type { Ending } from './outcome.js';
import { endingOfError } from './outcome.js';
import { toFailure } from './failure.js';
import type { TextOutput } from './output.js';

export interface HabitResult {
  readonly message: string;
}

export abstract class HabitCommand extends WnCommand<typeof HabitCommand, HabitResult> {
  static override readonly hidden = true;

  override async run(): Promise<Ending<HabitResult>> {
    this.parsed = true;
    try {
      return { result: await this.execute(), exit: 0 };
    } catch (error) {
      return endingOfError(toFailure(error)) as Ending<HabitResult>;
    }
  }

  protected abstract override execute(): Promise<HabitResult>;

  protected render({ message }: HabitResult, out: TextOutput): void {
    out.line(message);
  }
}

/**
 * The log of a daemon: a line of JSON for each event on standard error. What comes from
 * outside is cut and escaped; a flood of refusals is counted instead of written, or who
 * can connect could fill the disk.
 */
import { ANCHOR_REFUSAL_LINES_PER_SECOND, LOG_TEXT_CHARS_MAX } from '../../core/limits.js';
import type { Clock } from '../../core/ports.js';
import { Bucket } from '../../sync/bucket.js';
import type { Sink } from '../sink.js';
import { escapeTerminal } from '../terminal.js';

export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

export class Log {
  private readonly lines: Bucket;
  private unwritten = 0;

  constructor(
    private readonly sink: Sink,
    private readonly clock: Clock,
  ) {
    const lines = ANCHOR_REFUSAL_LINES_PER_SECOND;
    this.lines = new Bucket(clock, { perSecond: lines, burst: 2 * lines });
  }

  info(event: string, facts: Facts = {}): void {
    this.write('info', event, facts);
  }

  error(event: string, facts: Facts = {}): void {
    this.write('error', event, facts);
  }

  /** Somebody was turned away. */
  refused(facts: Facts & { readonly reason: string }): void {
    if (!this.lines.tryTake(1)) {
      this.unwritten += 1;
      return;
    }
    const { unwritten } = this;
    this.unwritten = 0;
    this.write('warn', 'refused', unwritten === 0 ? facts : { ...facts, unwritten });
  }

  private write(level: string, event: string, facts: Facts): void {
    const time = new Date(this.clock.wallMs()).toISOString();
    const safe = Object.entries(facts).map(([name, value]) => [name, bounded(value)]);
    const line = { time, level, event, ...(Object.fromEntries(safe) as Facts) };
    // A log that can't be written is no reason to stop serving.
    this.sink.write(`${JSON.stringify(line)}\n`).catch(() => undefined);
  }
}

function bounded(value: Facts[string]): Facts[string] {
  return typeof value === 'string' ? escapeTerminal(value.slice(0, LOG_TEXT_CHARS_MAX)) : value;
}

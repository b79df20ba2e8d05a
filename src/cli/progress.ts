/**
 * Progress on stderr: a bar where the total is known, a count where it isn't. Only on a
 * terminal, and never with `--quiet` or `--json`; it is gone when the work is done.
 */
import type { Context } from './context.js';
import { escapeTerminal } from './terminal.js';

export interface Progress {
  /** Sets how far it is; cheap enough to be called for each item. */
  update(done: number, total?: number): void;
  /** Removes the bar. */
  end(): Promise<void>;
}

const REDRAW_MS = 100;
const BAR_CHARS = 24;
const CLEAR_LINE = '\r\u001b[2K';

export function startProgress(context: Context, label: string): Progress {
  const shown = context.stderr.isTty && !context.quiet && !context.json && !context.inBatch;
  if (!shown) return { update: () => undefined, end: () => Promise.resolve() };
  const safeLabel = escapeTerminal(label);
  let drawnMs = -Infinity;
  return {
    update: (done, total) => {
      const nowMs = context.clock.monotonicMs();
      if (nowMs - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs;
      const line = `${safeLabel} ${progressText(done, total)}`.slice(0, context.stderr.columns - 1);
      // Nothing waits for a bar: what the terminal can't take is drawn over anyway.
      void context.stderr.write(CLEAR_LINE + line);
    },
    end: () => (drawnMs === -Infinity ? Promise.resolve() : context.stderr.write(CLEAR_LINE)),
  };
}

/** `[=======>                ] 31% 31/100`, or `31`. */
export function progressText(done: number, total?: number): string {
  if (total === undefined || total <= 0) return String(done);
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR_CHARS);
  const bar = `${'='.repeat(filled)}${' '.repeat(BAR_CHARS - filled)}`;
  return `[${bar}] ${Math.floor(share * 100)}% ${done}/${total}`;
}

/**
 * The one error type of the program. An error of the outside world (bad input,
 * a full disk, a peer that lies) is a `WnError`: it says what happened, what is
 * safe, and what to do next. A bug of ours is a failed `assert`.
 *
 * Exit codes are the contract of the command line; see docs/CLI.md.
 */

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  partly: 3,
  conditionNotMet: 4,
  noRepository: 10,
  busy: 11,
  denied: 12,
  noQuorum: 13,
  conflict: 14,
  unreachable: 15,
  damage: 16,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Stable machine-readable codes (`error.code` of `--json`), each with its exit code. */
export const ERROR_EXIT = {
  failed: EXIT.failed,
  internal: EXIT.failed,
  usage: EXIT.usage,
  partly: EXIT.partly,
  condition_not_met: EXIT.conditionNotMet,
  no_repository: EXIT.noRepository,
  busy: EXIT.busy,
  denied: EXIT.denied,
  no_quorum: EXIT.noQuorum,
  unknown_outcome: EXIT.noQuorum,
  conflict: EXIT.conflict,
  fenced: EXIT.conflict,
  unreachable: EXIT.unreachable,
  damage: EXIT.damage,
  interrupted: EXIT.interrupted,
  // Particular failures that share exit 1.
  not_found: EXIT.failed,
  exists: EXIT.failed,
  invalid: EXIT.failed,
  invalid_ticket: EXIT.failed,
  expired: EXIT.failed,
  unknown_format: EXIT.failed,
  unreadable: EXIT.failed,
  disk_full: EXIT.failed,
  read_only: EXIT.failed,
  too_large: EXIT.failed,
  mass_change: EXIT.failed,
  unsafe_mode: EXIT.failed,
  clock: EXIT.failed,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof ERROR_EXIT;

export interface WnErrorOptions {
  /** What to do next, as one sentence or a command. */
  readonly hint?: string;
  /** More facts for `--json` (`error.owner`, …). */
  readonly details?: Readonly<Record<string, unknown>>;
  /** A result that accompanies the failure (exit 3, exit 16 of `fsck`). */
  readonly result?: unknown;
  readonly cause?: unknown;
}

export class WnError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly result: unknown;

  constructor(code: ErrorCode, message: string, options: WnErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WnError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.result = options.result;
  }

  get exit(): ExitCode {
    return ERROR_EXIT[this.code];
  }
}

/** Stops on a bug of ours; never for bad input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

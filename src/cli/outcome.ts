/**
 * How a command ended, and the one JSON document that says so. Text for people is
 * made by the command's `render`; nothing here prints.
 */
import { ERROR_EXIT, EXIT, WnError, type ErrorCode, type ExitCode } from '../core/errors.js';

/**
 * A result that isn't a plain success: `return new Outcome(result, EXIT.partly, 'one of two
 * remotes failed')`. Its text is rendered as usual, the message goes to stderr. Without a
 * result only the exit code is told: everything was printed on the way.
 */
export class Outcome<Result> {
  constructor(
    readonly result: Result,
    readonly exit: ExitCode,
    readonly message?: string,
  ) {}
}

/** What a command came to. `result` is undefined where all was already printed, line by line. */
export interface Ending<Result = unknown> {
  readonly result?: Result;
  readonly failure?: WnError;
  readonly exit: ExitCode;
}

const DEFAULT_MESSAGES: Partial<Record<ExitCode, string>> = {
  [EXIT.partly]: 'a part failed, the rest is done',
  [EXIT.conditionNotMet]: 'the condition is not met',
  [EXIT.damage]: 'damage found',
};

/** The first code in the table with that exit: 3 is `partly`, 16 is `damage`. */
function codeOf(exit: ExitCode): ErrorCode {
  const entry = Object.entries(ERROR_EXIT).find(([, codeExit]) => codeExit === exit);
  return (entry?.[0] ?? 'failed') as ErrorCode;
}

export function endingOf<Result>(returned: Result | Outcome<Result>): Ending<Result> {
  if (!(returned instanceof Outcome)) return { result: returned, exit: EXIT.done };
  const { result, exit } = returned;
  if (result === undefined) return { exit };
  if (exit === EXIT.done) return { result, exit };
  const message = returned.message ?? DEFAULT_MESSAGES[exit] ?? 'failed';
  return { result, exit, failure: new WnError(codeOf(exit), message) };
}

export function endingOfError(error: WnError): Ending {
  return error.result === undefined
    ? { failure: error, exit: error.exit }
    : { failure: error, exit: error.exit, result: error.result };
}

function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Set) return [...(value as Set<unknown>)].sort();
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  return value;
}

/** `this` holds the value as it was before `toJSON`, which a Buffer has. */
function replacer(this: unknown, key: string, value: unknown): unknown {
  return toJson(
    (this as Record<string, unknown>)[key] instanceof Uint8Array
      ? (this as Record<string, unknown>)[key]
      : value,
  );
}

/** Whether `JSON.stringify` by itself says it all; it is several times faster without a replacer. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const name in value) if (!isPlain((value as Record<string, unknown>)[name])) return false;
  return true;
}

/** JSON in which bytes are hex, sets sorted lists and big integers numbers where they fit. */
export function encodeJson(value: unknown): string {
  return isPlain(value) ? JSON.stringify(value) : JSON.stringify(value, replacer);
}

/** `{"ok":true,"result":…}` or `{"ok":false,"error":{code,message,hint?,…},"result"?:…}`. */
export function documentOf(ending: Ending): Record<string, unknown> {
  const { failure, result } = ending;
  if (failure === undefined) return { ok: true, result: result ?? {} };
  const error: Record<string, unknown> = {
    ...failure.details,
    code: failure.code,
    message: failure.message,
  };
  if (failure.hint !== undefined) error['hint'] = failure.hint;
  return result === undefined ? { ok: false, error } : { ok: false, error, result };
}

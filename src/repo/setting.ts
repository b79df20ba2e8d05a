/**
 * The settings of a repository that `wn config` knows: what each may be, what it is where
 * nobody has set it, and how it is read from its text. They live in the repository's
 * `config` file; what stands there and isn't as it should be counts as not set.
 */
import { WnError } from '../core/errors.js';
import { NEW_FILE_BYTES_MAX, SETTING_CHARS_MAX, WORKDIR_FILE_BYTES_MAX } from '../core/limits.js';
import type { Config } from './settings.js';

export type SettingValue = string | number | boolean;

interface SettingSpec<Value extends SettingValue> {
  readonly default: Value;
  readonly description: string;
  /** For people: what it may be. */
  readonly allowed: string;
  /** Null for what it can't be. */
  readonly parse: (text: string) => Value | null;
}

function spec<Value extends SettingValue>(
  fallback: Value,
  description: string,
  [allowed, parse]: readonly [allowed: string, parse: (text: string) => Value | null],
): SettingSpec<Value> {
  return { default: fallback, description, allowed, parse };
}

const boolean = [
  'true or false',
  (text: string) => (text === 'true' ? true : text === 'false' ? false : null),
] as const;

const text = [
  `text of at most ${SETTING_CHARS_MAX} characters`,
  (given: string) => (given !== '' && given.length <= SETTING_CHARS_MAX ? given : null),
] as const;

function bytesUpTo(max: number): readonly [string, (text: string) => number | null] {
  return [
    `bytes: a whole number up to ${max}`,
    (given) => (/^\d{1,16}$/.test(given) && Number(given) <= max ? Number(given) : null),
  ];
}

function oneOf<Value extends string>(
  ...values: readonly Value[]
): readonly [string, (text: string) => Value | null] {
  return [values.join(', '), (given) => values.find((value) => value === given) ?? null];
}

export const SETTINGS = {
  'commit.newFileBytesMax': spec(
    NEW_FILE_BYTES_MAX,
    'A larger new file is left out of a commit unless --force is given.',
    bytesUpTo(WORKDIR_FILE_BYTES_MAX),
  ),
  'core.sshCommand': spec(
    'ssh',
    'The program that reaches ssh:// remotes, split into words; WN_SSH_COMMAND goes before it.',
    text,
  ),
  'discovery.lan': spec(false, 'Look for peers of this workspace in the local network.', boolean),
  'receive.materialise': spec(
    true,
    'Write out files without local edits when a peer pushes here.',
    boolean,
  ),
  'serve.enrol': spec(
    'ask',
    'Whether wn serve lets in devices that it does not know.',
    oneOf('ask', 'yes', 'no'),
  ),
} satisfies Readonly<Record<string, SettingSpec<SettingValue>>>;

export type SettingName = keyof typeof SETTINGS;

/** What a setting is here: as set, or its default. */
export function settingOf<Name extends SettingName>(
  config: Config,
  name: Name,
): (typeof SETTINGS)[Name]['default'] {
  const known: SettingSpec<SettingValue> = SETTINGS[name];
  const value = config.settings[name];
  const parsed = value === undefined ? null : known.parse(String(value));
  return parsed ?? known.default;
}

/** Throws `usage` for a name that there isn't. */
export function checkSettingName(name: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName;
  throw new WnError('usage', `no such setting: ${name}`, {
    hint: `there are: ${Object.keys(SETTINGS).join(', ')}`,
  });
}

/** Throws `usage`; the hint says what it may be. */
export function parseSetting(name: SettingName, given: string): SettingValue {
  const known: SettingSpec<SettingValue> = SETTINGS[name];
  const value = known.parse(given);
  if (value !== null) return value;
  throw new WnError('usage', `${name} can't be ${given}`, {
    hint: `nothing was changed; it takes ${known.allowed}`,
  });
}

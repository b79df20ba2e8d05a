/** Shows and changes the settings of this copy. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { WnError } from '../core/errors.js';
import {
  checkSettingName,
  parseSetting,
  SETTINGS,
  settingOf,
  type SettingName,
  type SettingValue,
} from '../repo/setting.js';
import type { Config as RepositoryConfig } from '../repo/settings.js';

interface SettingShown {
  readonly key: string;
  readonly value: SettingValue;
  readonly default: SettingValue;
  /** Somebody has set it here. */
  readonly set: boolean;
  readonly allowed: string;
  readonly description: string;
}

interface SettingList {
  readonly items: readonly SettingShown[];
  readonly total: number;
  readonly next: null;
}

type ConfigResult = SettingShown | SettingList;

export default class Config extends WnCommand<typeof Config, ConfigResult> {
  static override readonly summary = 'Show or change settings of this copy';
  static override readonly description =
    'They belong to this copy alone and are never sent. Without KEY all are listed. No setting ' +
    'runs a command but core.sshCommand, which only you can set: it does not travel.';
  static override readonly args = {
    key: Args.string({ description: 'Which setting.' }),
    value: Args.string({ description: 'What it shall be.' }),
  };
  static override readonly flags = {
    unset: Flags.boolean({ description: 'Back to the default.' }),
  };
  static override readonly examples = [
    'wn config',
    'wn config receive.materialise false',
    'wn config receive.materialise --unset',
  ];
  static override readonly result =
    '{key, value, default, set, allowed, description}; without KEY {items: […], total, next}';

  protected async execute(): Promise<ConfigResult> {
    const repository = await openRepository(this.context);
    const { key, value } = this.args;
    const { unset } = this.flags;
    if (key === undefined) {
      if (unset) throw new WnError('usage', '--unset needs a key', { hint: 'see: wn config' });
      const names = Object.keys(SETTINGS) as SettingName[];
      const items = names.map((name) => shown(repository, name));
      return { items, total: items.length, next: null };
    }
    const name = checkSettingName(key);
    if (unset && value !== undefined) {
      throw new WnError('usage', 'a value and --unset contradict each other', {
        hint: 'nothing was changed',
      });
    }
    if (unset) await change(repository, name, null);
    else if (value !== undefined) await change(repository, name, parseSetting(name, value));
    return shown(repository, name);
  }

  protected render(result: ConfigResult, out: TextOutput): void {
    const { style } = out;
    if (!('items' in result)) {
      out.line(String(result.value));
      return;
    }
    out.table(
      result.items.map(({ key, value, set, description }) => [
        style.bold(key),
        set ? String(value) : style.dim(String(value)),
        style.dim(description),
      ]),
    );
  }
}

function shown({ replica }: Repository, name: SettingName): SettingShown {
  const { default: fallback, allowed, description } = SETTINGS[name];
  const set = Object.hasOwn(replica.config.settings, name);
  return {
    key: name,
    value: settingOf(replica.config, name),
    default: fallback,
    set,
    allowed,
    description,
  };
}

/** Null takes it away. */
async function change(
  { replica }: Repository,
  name: SettingName,
  value: SettingValue | null,
): Promise<void> {
  await replica.transact(() =>
    replica.configure((config): RepositoryConfig => {
      const { [name]: _before, ...others } = config.settings;
      return { ...config, settings: value === null ? others : { ...others, [name]: value } };
    }),
  );
}

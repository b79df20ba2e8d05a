/**
 * What in a configuration runs a command: `core.sshCommand`, and the program that a remote
 * is served by. A repository may come from elsewhere (an archive, a stick), and nothing in
 * it may run a command then; so these count only in the place where somebody set them,
 * which a copy can't bring along (compare CVE-2022-24765 of Git).
 */
import type { Config } from './settings.js';

const SETTING = 'core.sshCommand';

/** The configuration without commands that were set elsewhere. */
export function withTrustedCommands(config: Config, placeMark: string): Config {
  if (config.commandsMark === placeMark) return config;
  const { [SETTING]: _command, ...settings } = config.settings;
  const remotes = config.remotes.map(({ name, url }) => ({ name, url }));
  return { ...config, settings, remotes };
}

/** The configuration as the user changes it here: what it names from now on was set here. */
export function changedHere(
  config: Config,
  placeMark: string,
  change: (config: Config) => Config,
): Config {
  const changed = change(withTrustedCommands(config, placeMark));
  const names =
    changed.settings[SETTING] !== undefined ||
    changed.remotes.some((remote) => remote.servePath !== undefined);
  const { commandsMark: _mark, ...plain } = changed;
  return names ? { ...plain, commandsMark: placeMark } : plain;
}

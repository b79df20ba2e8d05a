/**
 * The built description of all commands (`oclif.manifest.json`), for help and completion:
 * reading it is quicker than loading sixty classes. The format is oclif's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describeAll, type CommandDescription } from './describe.js';

interface Manifest {
  readonly version: string;
  readonly commands: Readonly<Record<string, ManifestCommand>>;
}

/** oclif keys arguments and flags by name and joins words with a colon. */
interface ManifestCommand extends Omit<CommandDescription, 'args' | 'flags'> {
  readonly args: Readonly<Record<string, CommandDescription['args'][number]>>;
  readonly flags: Readonly<Record<string, CommandDescription['flags'][number]>>;
}

const byName = <T extends { readonly name: string }>(items: readonly T[]): Record<string, T> =>
  Object.fromEntries(items.map((item) => [item.name, item]));

export function toManifest(version: string, commands: readonly CommandDescription[]): Manifest {
  const entries = commands.map((command): [string, ManifestCommand] => {
    const id = command.id.replace(' ', ':');
    return [id, { ...command, id, args: byName(command.args), flags: byName(command.flags) }];
  });
  return { version, commands: Object.fromEntries(entries) };
}

function fromManifest(manifest: Manifest): readonly CommandDescription[] {
  return Object.values(manifest.commands).map((command) => ({
    ...command,
    id: command.id.replace(':', ' '),
    args: Object.values(command.args),
    flags: Object.values(command.flags),
  }));
}

/** The folder of package.json, from the bundle in `dist` as from the sources. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** All commands; from the classes themselves where nothing is built yet. */
export async function readDescriptions(): Promise<readonly CommandDescription[]> {
  const path = join(packageRoot(), 'oclif.manifest.json');
  if (!existsSync(path)) return describeAll();
  return fromManifest(JSON.parse(readFileSync(path, 'utf8')) as Manifest);
}

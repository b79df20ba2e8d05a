/**
 * Writes what is made from the command classes: the table of commands, the manual pages and
 * docs/CLI.md. With `--check` it writes nothing and fails if something is out of date.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { tableSource, TABLE, writeTable } from './table.js';

const ROOT = join(import.meta.dirname, '..');

type Files = ReadonlyMap<string, string>;

async function generate(): Promise<Files> {
  // These load the classes, which need the table.
  const { describeAll } = await import('../src/cli/describe.js');
  const { VERSION } = await import('../src/cli/commandTable.js');
  const { commandPage, mainPage, pageName } = await import('./man.js');
  const { reference } = await import('./reference.js');
  const commands = (await describeAll()).filter((command) => !command.hidden);
  const files = new Map<string, string>();
  files.set('man/wn.1', mainPage(commands, VERSION));
  for (const command of commands) {
    files.set(`man/${pageName(command)}.1`, commandPage(command, VERSION));
  }
  const options = await resolveConfig(join(ROOT, 'docs/CLI.md'));
  files.set('docs/CLI.md', await format(reference(commands), { ...options, parser: 'markdown' }));
  return files;
}

function current(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

function pages(): string[] {
  mkdirSync(join(ROOT, 'man'), { recursive: true });
  return readdirSync(join(ROOT, 'man')).map((name) => `man/${name}`);
}

/** Paths whose content isn't what would be generated. */
function stale(files: Files): string[] {
  const changed = [...files].filter(([path, text]) => current(path) !== text).map(([path]) => path);
  return [...changed, ...pages().filter((path) => !files.has(path))];
}

function write(files: Files): void {
  for (const path of pages().filter((page) => !files.has(page))) rmSync(join(ROOT, path));
  for (const [path, text] of files) writeFileSync(join(ROOT, path), text);
}

if (process.argv.includes('--check')) {
  const outdated = current(TABLE) === tableSource() ? [] : [TABLE];
  if (outdated.length === 0) outdated.push(...stale(await generate()));
  if (outdated.length > 0) {
    console.error(`out of date, run npm run gen:\n  ${outdated.join('\n  ')}`);
    process.exitCode = 1;
  }
} else {
  writeTable();
  const files = await generate();
  write(files);
  console.log(`generated ${files.size} files`);
}

/** `bench/RESULTS.md`: a section for each script, written anew when all its rows have run. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { table, type Row } from './measure.js';

const FILE = join(import.meta.dirname, 'RESULTS.md');

/** Replaces the section of that script, or adds one; the others stay as they are. */
export function writeSection(script: string, preface: string, rows: readonly Row[]): void {
  const heading = `## npm run ${script}`;
  const section = `${heading}\n\n${today()}, ${machine()}. ${preface}\n\n${table(rows)}`;
  const [head = '', ...others] = (existsSync(FILE) ? readFileSync(FILE, 'utf8') : '# Results\n')
    .split(/\n(?=## )/)
    .map((part) => part.trimEnd());
  const at = others.findIndex((other) => other.split('\n', 1)[0] === heading);
  if (at === -1) others.push(section);
  else others[at] = section;
  writeFileSync(FILE, [head, ...others].map((part) => `${part.trimEnd()}\n`).join('\n'));
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function machine(): string {
  const git = execFileSync('git', ['--version'], { encoding: 'utf8' }).trim();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpus()[0]?.model ?? ''}, ${memory} GiB, Node ${process.version}, ${git}`;
}

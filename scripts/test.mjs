/** `npm test`: sets up, then runs mocha. Arguments are passed on: `npm test -- -g canonical`. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { setUp } from './setup.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

setUp();
const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js');
const reporter = join(ROOT, 'scripts/reporter.cjs');
const given = process.argv.slice(2);
const specs = given.some((arg) => arg.endsWith('.ts')) ? [] : ['test/**/*.test.ts'];
const args = [mocha, '--reporter', reporter, '--parallel', '--jobs', '2', ...given, ...specs];
const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;

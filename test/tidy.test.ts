/**
 * The rules of the house that no compiler knows: which layer may import which, which
 * package belongs to which layer, what pure code may not touch, how long a file may be.
 * A failure names file and line.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const LINES_MAX = 400;
/** A test file lists cases, and one file all bounds; they may be longer. */
const LIST_LINES_MAX = 500;

function isList(path: string): boolean {
  return path.startsWith('test/') || path === 'src/core/limits.ts';
}

type Layer = keyof typeof LAYERS;

/** What a layer may import besides itself. Arrows point down only. */
const LAYERS = {
  core: [],
  crdt: ['core'],
  caps: ['core'],
  repo: ['core', 'crdt', 'caps'],
  tree: ['core', 'crdt', 'repo'],
  jobs: ['core', 'repo'],
  sync: ['core', 'caps', 'repo'],
  consensus: ['core', 'caps'],
  node: ['core'],
  cli: ['core', 'crdt', 'caps', 'repo', 'tree', 'jobs', 'sync', 'consensus', 'node', 'commands'],
  commands: ['core', 'crdt', 'caps', 'repo', 'tree', 'jobs', 'sync', 'consensus', 'node', 'cli'],
} as const satisfies Record<string, readonly string[]>;

/** Layers of which another may use the types, but no code. */
const TYPES_ONLY: Partial<Record<Layer, readonly Layer[]>> = {
  node: ['crdt', 'caps', 'repo', 'tree', 'jobs', 'sync', 'consensus'],
};

/** Which packages a layer, or one file of it, may import. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'core/cborwriter.ts': ['cborg'],
  'crdt/': ['diamond-types-node'],
  'tree/': ['yaml', 'ignore'],
  'node/metrics.ts': ['prom-client'],
  'node/mdns.ts': ['bonjour-service'],
  'node/proxy.ts': ['proxy-from-env'],
  'node/websocket.ts': ['ws'],
  'node/': ['lmdb', 'fs-native-extensions', 'ssh2', 'isomorphic-git'],
  'cli/': ['@oclif/core', 'chalk', 'yaml', 'ignore', 'diamond-types-node'],
  'commands/': ['@oclif/core', 'chalk'],
};

/** Folders and files that may touch the machine. */
const IMPURE = ['node/', 'cli/', 'commands/', 'core/crypto.ts'];

const BANS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)/],
  ['performance', /\bperformance\./],
  ['Math.random', /\bMath\.random\b/],
  ['timers', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['process', /\bprocess\./],
  ['console', /\bconsole\./],
  ['import.meta', /\bimport\.meta\b/],
];

const MARKS = /(\/\/|\*|#).*\b(TODO|FIXME|HACK|XXX)\b/;
const EXIT = /\bprocess\.(exit|reallyExit|abort)\s*\(/;

interface Source {
  /** Relative to src, with forward slashes. */
  readonly path: string;
  readonly layer: Layer;
  readonly lines: readonly string[];
}

interface Import {
  readonly from: string;
  readonly typesOnly: boolean;
  readonly line: number;
}

function list(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.(ts|js|mjs|cjs)$/.test(path) && !path.includes('node_modules/'))
    .sort();
}

function sources(): Source[] {
  return list('src').map((path) => {
    const [layer = ''] = path.split('/');
    assert.ok(layer in LAYERS, `src/${path}: no such layer`);
    return { path, layer: layer as Layer, lines: read(`src/${path}`) };
  });
}

function read(path: string): string[] {
  return readFileSync(join(ROOT, path), 'utf8').replace(/\n$/, '').split('\n');
}

/** Without comments and what stands in quotes, so that prose isn't taken for code. */
function codeOf(lines: readonly string[]): string[] {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  return lines
    .join('\n')
    .replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, blank)
    .split('\n');
}

/** Static, dynamic and re-exporting imports, also those that span lines. */
function importsOf({ lines }: Source): Import[] {
  const text = lines.join('\n');
  const pattern =
    /^(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?'([^']+)'|(typeof\s+)?\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const [whole, type, from, typeOf, dynamic] = match;
    const named = /\{([^}]*)\}/.exec(whole)?.[1];
    const allTypes =
      named !== undefined && named.split(',').every((name) => /^\s*(type\s.*)?$/.test(name));
    return {
      from: from ?? dynamic ?? '',
      typesOnly: type !== undefined || typeOf !== undefined || allTypes,
      line: text.slice(0, match.index).split('\n').length,
    };
  });
}

function resolved(path: string, from: string): string {
  return join('/', path, '..', from).slice(1).replaceAll('\\', '/');
}

function isPure(path: string): boolean {
  return !IMPURE.some((place) => path.startsWith(place));
}

function packageOf(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

function mayUse(path: string, name: string): boolean {
  return Object.entries(PACKAGES).some(
    ([place, names]) => path.startsWith(place) && names.includes(name),
  );
}

/** Why an import is wrong, or undefined. */
function fault(source: Source, { from, typesOnly }: Import): string | undefined {
  if (from.startsWith('.')) {
    if (!from.endsWith('.js')) return `imports end in .js: ${from}`;
    const [target = ''] = resolved(source.path, from).split('/');
    if (target === source.layer) return undefined;
    const allowed: readonly string[] = LAYERS[source.layer];
    if (allowed.includes(target)) return undefined;
    if (typesOnly && TYPES_ONLY[source.layer]?.includes(target as Layer) === true) return undefined;
    return `${source.layer} may not import ${target}: ${from}`;
  }
  if (builtinModules.includes(from)) return `write node:${from}`;
  if (from.startsWith('node:')) {
    return isPure(source.path) ? `pure code may not import ${from}` : undefined;
  }
  const name = packageOf(from);
  return mayUse(source.path, name) ? undefined : `${name} does not belong in ${source.path}`;
}

describe('tidy', () => {
  const all = sources();

  it('layers import downwards only, and packages where they belong', () => {
    const faults = all.flatMap((source) =>
      importsOf(source).flatMap((found) => {
        const why = fault(source, found);
        return why === undefined ? [] : [`src/${source.path}:${found.line}: ${why}`];
      }),
    );
    assert.deepEqual(faults, []);
  });

  it('pure code knows no clock, chance, timer or process', () => {
    const faults = all
      .filter(({ path }) => isPure(path))
      .flatMap(({ path, lines }) =>
        codeOf(lines).flatMap((line, index) =>
          BANS.filter(([, pattern]) => pattern.test(line)).map(
            ([what]) => `src/${path}:${index + 1}: ${what}`,
          ),
        ),
      );
    assert.deepEqual(faults, []);
  });

  it('nothing ends the process', () => {
    const faults = all.flatMap(({ path, lines }) =>
      codeOf(lines).flatMap((line, index) => (EXIT.test(line) ? [`src/${path}:${index + 1}`] : [])),
    );
    assert.deepEqual(faults, []);
  });

  const everything = ['src', 'test', 'scripts', 'bin', 'bench'].flatMap((folder) =>
    list(folder).map((path) => `${folder}/${path}`),
  );

  it(`files have at most ${LINES_MAX} lines and open with what they are`, () => {
    const faults = everything.flatMap((path) => {
      const lines = read(path);
      const opening = lines.find((line) => !/^(#!.*|'use strict';|\s*)$/.test(line)) ?? '';
      return [
        ...(lines.length > (isList(path) ? LIST_LINES_MAX : LINES_MAX)
          ? [`${path}:${lines.length}: too long`]
          : []),
        // A test says what it is by its first `describe`.
        ...(/^\/[*/]/.test(opening) || /^bin\/|\.test\.ts$/.test(path)
          ? []
          : [`${path}:1: no comment`]),
      ];
    });
    assert.deepEqual(faults, []);
  });

  it('nothing is left for later, and no path of a machine is in a file', () => {
    const machine = /(^|[^\w./-])\/work\//;
    const faults = everything
      .filter((path) => path !== 'test/tidy.test.ts')
      .flatMap((path) =>
        read(path).flatMap((line, index) =>
          MARKS.test(line) || machine.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
        ),
      );
    assert.deepEqual(faults, []);
  });
});

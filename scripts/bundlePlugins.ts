/**
 * What the bundler must know so that a command pays only for what it uses. Nothing that a
 * module does is changed by it, only when it is loaded and from where.
 */
import { readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname } from 'node:path';

import type { Plugin } from 'esbuild';

/**
 * Makes the top-level `require`s of oclif's compiled TypeScript happen at first use, as
 * Babel's `lazy` option would: a command needs a class and a parser of it, not its plugin
 * loader, templates and spinners. Its listener on stdout goes: it would make the stream at
 * each start, and what is printed doesn't go through it.
 */
const lazyOclif: Plugin = {
  name: 'lazy-oclif',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8').replace(
        /^process\.stdout\.on\('error', [^]*?^\}\);$/m,
        '',
      );
      const names: string[] = [];
      const declared = source.replace(
        /^const (\w+) = ((?:__importDefault\(|__importStar\()?require\("[^"]+"\)\)?);$/gm,
        (_line, name: string, load: string) => {
          names.push(name);
          return `let ${name}$m; const ${name}$ = () => (${name}$m ??= ${load});`;
        },
      );
      if (names.length === 0) return { contents: source, loader: 'js' };
      const uses = new RegExp(`(?<![\\w$.'"])(${names.join('|')})(?=[.)])`, 'g');
      return {
        contents: declared.replace(uses, (_use, name: string) => `(${name}$())`),
        loader: 'js',
      };
    });
  },
};

/** These are loaded before any of our code runs. */
const LOADED_BUILTINS = new Set([
  'buffer',
  'events',
  'fs',
  'module',
  'path',
  'process',
  'timers',
  'util',
  'vm',
]);

/**
 * Node's own modules, loaded when one of their exports is first used rather than when a
 * module that imports them is: `node:child_process` takes five milliseconds, `node:crypto`
 * six, and most commands need neither.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(builder) {
    const lazy = builtinModules.filter((name) => /^[a-z]/.test(name) && !LOADED_BUILTINS.has(name));
    const filter = new RegExp(`^(node:)?(${lazy.join('|')})$`);
    const load = createRequire(import.meta.url);
    builder.onResolve({ filter }, ({ path, namespace }) => {
      const name = path.replace(/^node:/, '');
      return namespace === 'lazy-builtin'
        ? { path: `node:${name}`, external: true }
        : { path: name, namespace: 'lazy-builtin' };
    });
    builder.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path: name }) => {
      const exported = load(name) as object;
      if (typeof exported === 'function')
        return { contents: `module.exports = require('node:${name}');` };
      const getters = Object.keys(exported).map((key) => `get ${key}() { return load().${key}; }`);
      return {
        contents: `
          let loaded;
          const load = () => (loaded ??= require('node:${name}'));
          module.exports = { ${getters.join(', ')} };`,
      };
    });
  },
};

/**
 * `createRequire(import.meta.url)('x')` is how a source loads a package at once, and only
 * when it is needed; for the bundler it is a `require` like any other.
 */
const bundledRequires: Plugin = {
  name: 'bundled-requires',
  setup(builder) {
    builder.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'createRequire(import.meta.url)(',
        'require(',
      ),
      loader: 'ts',
    }));
  },
};

/** `require.resolve` would do, but reads the package's exports, which takes eight milliseconds. */
const locateLmdb = `
  const fs = require('node:fs');
  const path = require('node:path');
  const { resolve } = require;
  function find() {
    for (let folder = __dirname; ; folder = path.dirname(folder)) {
      const file = path.join(folder, 'node_modules/lmdb/dist/index.cjs');
      if (fs.existsSync(file)) return fs.realpathSync(file);
      if (folder === path.dirname(folder)) return resolve('lmdb');
    }
  }
  module.exports = require('node:url').pathToFileURL(find()).href;`;

/**
 * lmdb looks for its native part from where its own files are, and asks its own package for
 * the platform's one; from within the bundle it must be told where that is.
 */
const bundledLmdb: Plugin = {
  name: 'bundled-lmdb',
  setup(builder) {
    builder.onResolve({ filter: /^lmdb$/ }, async ({ resolveDir, kind }) =>
      // The module, not the CommonJS build: its files are separate, and can be told.
      kind === 'require-call'
        ? builder.resolve('lmdb', { kind: 'import-statement', resolveDir })
        : undefined,
    );
    builder.onLoad({ filter: /node_modules\/lmdb\/[\w-]+\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes('import.meta.url')) return undefined;
      const contents = `import lmdbUrl from 'lmdb-url';\n${source.replaceAll('import.meta.url', 'lmdbUrl')}`;
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
    builder.onResolve({ filter: /^lmdb-url$/ }, () => ({
      path: 'lmdb-url',
      namespace: 'lmdb-url',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'lmdb-url' }, () => ({
      contents: locateLmdb,
      loader: 'js',
    }));
  },
};

/**
 * lmdb's encoder tries to load a native part for long strings and does without it if it
 * can't. We give lmdb bytes, so it does without.
 */
const noMsgpackrExtract: Plugin = {
  name: 'no-msgpackr-extract',
  setup(builder) {
    builder.onResolve({ filter: /^msgpackr-extract$/ }, () => ({
      path: 'msgpackr-extract',
      namespace: 'absent',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: `throw new Error('left out')`,
      loader: 'js',
    }));
  },
};

/** A decoder of string keys, made by `eval` at the start; we have none, and it is made when used. */
const lazyOrderedBinary: Plugin = {
  name: 'lazy-ordered-binary',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/ordered-binary\/index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        'eval(makeStringBuilder())',
        '((made) => (source) => (made ??= eval(makeStringBuilder()))(source))()',
      ),
      loader: 'js',
    }));
  },
};

/**
 * The finder of fs-native-extensions' native part knows many runtimes and takes 30 ms; on
 * Node.js it always ends at this file. Where there is none, it is asked all the same.
 */
const bundledLocks: Plugin = {
  name: 'bundled-locks',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/fs-native-extensions\/binding\.js$/ }, () => ({
      contents: `
        const { resolve } = require;
        const path = require('node:path');
        const root = path.dirname(resolve('fs-native-extensions'));
        const platform = process.platform + '-' + process.arch;
        const file = path.join(root, 'prebuilds', platform, 'fs-native-extensions.node');
        const load = require('node:module').createRequire(path.join(root, 'index.js'));
        module.exports = load(require('node:fs').existsSync(file) ? file : './binding.js');`,
      loader: 'js',
    }));
  },
};

export const PLUGINS: readonly Plugin[] = [
  lazyOclif,
  lazyBuiltins,
  lazyOrderedBinary,
  bundledRequires,
  bundledLmdb,
  bundledLocks,
  noMsgpackrExtract,
];

/**
 * esbuild gives each importer of a CommonJS module a copy of its properties, a getter each;
 * for `node:fs` that takes a millisecond in each of thirty files. An object that inherits
 * from the module shows the same properties, and is made at once.
 */
export function sharePropertiesOfCommonJs(bundle: string): string {
  const helper = /__toESM=\(mod,isNodeMode,target2\)=>\(target2=.*?,mod\)\)/s;
  if (!helper.test(bundle)) throw new Error('esbuild has changed its helper __toESM');
  return bundle.replace(
    helper,
    () =>
      '__toESM=(mod,isNodeMode)=>isNodeMode||!mod||!mod.__esModule' +
      '?__defProp(Object(mod)===mod?__create(mod):{},"default",{value:mod,enumerable:!0}):mod',
  );
}

'use strict';
/**
 * Loads the bundle with V8's code cache, which saves compiling it at each start. The cache
 * made by the build fits the build's version of Node; for another one it is made again and
 * kept in the user's cache folder. This is CommonJS (see package.json beside it) because
 * Node's loader for modules takes ten milliseconds by itself.
 */
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const DIST = path.join(__dirname, '..', 'dist');
/**
 * A cache that a run leaves behind holds the functions which that run called; so the
 * commands whose start matters have one each, and all others share one.
 */
const QUICK = new Set(['commit', 'diff', 'list', 'log', 'set', 'show', 'status']);

/** What `load` comes to: the bundle's exports, and what to call when the program has ended. */
function load() {
  const bundle = path.join(DIST, 'wn.cjs');
  // Named after the engine, because to find out that a cache doesn't fit costs a compilation.
  const built = path.join(DIST, cacheName());
  const file = fs.existsSync(built) ? built : userCacheFile(bundle);
  const { script, accepted } = compile(bundle, file);
  const keepCache = () => {
    if (file !== undefined && file !== built && !accepted) replaceCache(file, bundle, script);
  };
  return { program: evaluate(bundle, script), keepCache };
}

function cacheName() {
  return `wn-${process.versions.v8}-${process.arch}.cache`;
}

/** V8 refuses a cache of another version, other flags or another length of the source. */
function compile(bundle, cacheFile) {
  // The bundle is plain ASCII, which needs no decoding.
  const source = fs.readFileSync(bundle, 'latin1');
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
  const cachedData = cacheFile === undefined ? undefined : readOrNothing(cacheFile);
  const script = new vm.Script(wrapped, { filename: bundle, cachedData });
  return { script, accepted: cachedData !== undefined && script.cachedDataRejected === false };
}

function evaluate(bundle, script) {
  const main = { exports: {} };
  const run = script.runInThisContext();
  run.call(main.exports, main.exports, createRequire(bundle), main, bundle, path.dirname(bundle));
  return main.exports;
}

function readOrNothing(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/**
 * Where a cache of our own may be: in a folder that is ours and that nobody else can write
 * to, since what is in it runs. V8 compares only the source's length, so the name says
 * which bundle it was. Undefined if there is no such place.
 */
function userCacheFile(bundle) {
  const { env } = process;
  const home =
    env.XDG_CACHE_HOME || env.LOCALAPPDATA || (env.HOME && path.join(env.HOME, '.cache'));
  if (!home || !path.isAbsolute(home)) return undefined;
  const folder = path.join(home, 'wn');
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOurs(fs.lstatSync(folder))) return undefined;
    const command = process.argv.slice(2).find((word) => QUICK.has(word)) ?? 'other';
    return path.join(folder, `${identityOf(bundle)}-${command}-${cacheName()}`);
  } catch {
    return undefined;
  }
}

function identityOf(bundle) {
  const { size, mtimeMs, ino } = fs.statSync(bundle);
  return [size, Math.round(mtimeMs), ino].map((part) => part.toString(36)).join('-');
}

/** On Windows a profile's folders are its owner's by their access lists. */
function isOurs({ uid, mode }) {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/** Best effort: without it the next start is slower, that is all. Those of other builds go. */
function replaceCache(file, bundle, script) {
  const folder = path.dirname(file);
  const temporary = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(temporary, script.createCachedData(), { flag: 'wx', mode: 0o600 });
    for (const name of fs.readdirSync(folder)) {
      if (name.endsWith('.cache') && !name.startsWith(identityOf(bundle)))
        fs.rmSync(path.join(folder, name));
    }
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

module.exports = { cacheName, compile, evaluate, load };

'use strict';
/**
 * Loads the bundle with V8's code cache, which saves compiling it at each start. The cache
 * made by the build fits the build's version of Node; for another one it is made again and
 * kept in the user's cache folder. This is CommonJS (see package.json beside it) because
 * Node's loader for modules takes ten milliseconds by itself.
 */
const fs = require('node:fs');
const { createRequire, enableCompileCache } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const DIST = path.join(__dirname, '..', 'dist');

/** The bundle's exports, and what to call at the end so that the next start is quick. */
function load() {
  const bundle = path.join(DIST, 'wn.cjs');
  const built = compile(bundle, path.join(DIST, 'wn.cache'));
  if (built.accepted) return { program: evaluate(bundle, built.script), keepCache: () => undefined };
  if (enableCompileCache !== undefined) {
    enableCompileCache();
    return { program: require(bundle), keepCache: () => undefined };
  }
  const file = userCacheFile(bundle);
  const own = file === undefined ? built : compile(bundle, file);
  const keepCache = () => {
    if (file !== undefined && !own.accepted) replaceCache(file, own.script);
  };
  return { program: evaluate(bundle, own.script), keepCache };
}

/** V8 refuses a cache of another version, other flags or another length of the source. */
function compile(bundle, cacheFile) {
  // The bundle is plain ASCII, which needs no decoding.
  const source = fs.readFileSync(bundle, 'latin1');
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
  const cachedData = readOrNothing(cacheFile);
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
  const { env, getuid, versions, arch } = process;
  const home = env.XDG_CACHE_HOME || (env.HOME && path.join(env.HOME, '.cache'));
  if (!home || !path.isAbsolute(home) || getuid === undefined) return undefined;
  const folder = path.join(home, 'wn');
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = fs.lstatSync(folder);
    if (uid !== getuid() || (mode & 0o022) !== 0) return undefined;
    const { size, mtimeMs, ino } = fs.statSync(bundle);
    const identity = [size, Math.round(mtimeMs), ino].map((part) => part.toString(36)).join('-');
    return path.join(folder, `code-${versions.v8}-${arch}-${identity}.cache`);
  } catch {
    return undefined;
  }
}

/** Best effort: without it the next start is slower, that is all. Only one is kept. */
function replaceCache(file, script) {
  const folder = path.dirname(file);
  const temporary = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(temporary, script.createCachedData(), { flag: 'wx', mode: 0o600 });
    for (const name of fs.readdirSync(folder)) {
      if (/^code-.*\.cache$/.test(name)) fs.rmSync(path.join(folder, name));
    }
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

module.exports = { compile, evaluate, load };

/**
 * The composition root: real ports, keys and the working directory, joined to a
 * repository that commands use. One is kept open for all lines of a batch.
 */
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { signerFromSeed, type Signer } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import type { DiamondTypes } from '../crdt/text/diamond.js';
import { nodeClock } from '../node/clock.js';
import { nodeDeflate } from '../node/deflate.js';
import { homeFolder, loadOrCreateDeviceKey, type DeviceKey } from '../node/home.js';
import { openKeyValue, wipeKeyValue } from '../node/keyvalue.js';
import { bootId, placeMark } from '../node/place.js';
import { nodeRng } from '../node/rng.js';
import { checkRoot } from '../node/root.js';
import { openStorage } from '../node/storage.js';
import { openWorkDir } from '../node/workdir.js';
import { NO_STRONG_LOG, Replica, type ReplicaPorts } from '../repo/replica.js';
import { checkFormat } from '../repo/settings.js';
import { chunkBoundaries } from '../tree/chunker.js';
import { WorkCopy } from '../tree/workcopy.js';
import type { Context, Session } from './context.js';
import { hintForRevision } from './habits.js';
import { findRepository, type Location } from './location.js';

const PATHS_CACHED_MAX = 1_000;

export class Repository implements Session {
  /** Arguments of a batch's lines come again and again. */
  private readonly paths = new Map<string, string>();

  constructor(
    readonly location: Location,
    readonly replica: Replica,
    readonly work: WorkCopy,
    private readonly context: Context,
    readonly signer: () => Promise<Signer>,
  ) {}

  /** A path argument, relative to where the user stands, as a path in the workspace. Throws `usage`. */
  path(argument: string): string {
    const known = this.paths.get(argument);
    if (known !== undefined) return known;
    const absolute = resolve(this.context.cwd, argument);
    const below = `${this.location.root}${sep}`;
    const path = absolute.startsWith(below)
      ? toSlashes(absolute.slice(below.length))
      : toSlashes(relative(this.location.root, absolute));
    if (path === '..' || path.startsWith('../')) {
      throw new WnError('usage', `${argument} is outside the workspace`, {
        hint: `paths are below ${this.location.root}`,
      });
    }
    if (this.paths.size >= PATHS_CACHED_MAX) this.paths.clear();
    this.paths.set(argument, path);
    return path;
  }

  /** As `under`; throws `not_found` for a path that neither the workspace nor the disk has. */
  existing(argv: readonly string[]): readonly string[] | undefined {
    const paths = this.under(argv);
    for (const [index, path] of (paths ?? []).entries()) {
      const isThere = path === '' || this.replica.view.entry(path) !== null;
      if (isThere || this.work.dir.stat(path) !== null) continue;
      const argument = argv[index] ?? path;
      throw new WnError('not_found', `nothing is at ${argument}`, {
        hint: hintForRevision(argument) ?? 'see wn list and wn status; nothing was changed',
      });
    }
    return paths;
  }

  /** Path arguments; none means everything. */
  under(argv: readonly string[]): readonly string[] | undefined {
    return argv.length === 0 ? undefined : argv.map((argument) => this.path(argument));
  }

  /** Makes what a batch's lines recorded durable; more of them follow at once. */
  async sync(): Promise<void> {
    await this.work.syncGroup();
  }

  /** Makes what a batch's lines recorded durable, and brings the files in step. */
  async flush(): Promise<void> {
    await this.work.flushGroup();
  }

  async close(): Promise<void> {
    await this.flush();
    await this.replica.close();
  }
}

function toSlashes(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/');
}

/** Opens the repository that the command is used in; throws `no_repository` and more. */
export async function openRepository(context: Context): Promise<Repository> {
  const { session } = context.shared;
  if (session instanceof Repository) return session;
  const repository = await openAt(context, findRepository(context.cwd, context.env));
  context.shared.session = repository;
  return repository;
}

/** Opens a repository in a known place. The caller closes it. */
export async function openAt(context: Context, location: Location): Promise<Repository> {
  const ports = portsOf(location);
  await checkFormat(ports.storage);
  const replica = await Replica.open(ports, context.lockTimeoutMs).catch(withoutRoom);
  return repositoryOf(context, location, replica);
}

/** Opening writes only where the index has to be built anew; that needs a disk that can be written. */
function withoutRoom(error: unknown): never {
  if (!(error instanceof WnError) || error.code !== 'read_only') throw error;
  throw new WnError('read_only', 'the index has to be built anew, and the disk is read-only', {
    hint: error.hint ?? 'copy the whole folder to a disk that takes writes',
    cause: error,
  });
}

export function repositoryOf(context: Context, location: Location, replica: Replica): Repository {
  const dir = openWorkDir(location.root, { savedRoot: location.data });
  const signer = deviceSigner(context);
  const work = new WorkCopy(replica, dir, signer, context.lockTimeoutMs, context.inBatch);
  return new Repository(location, replica, work, context, signer);
}

export function portsOf({ data }: Location): ReplicaPorts {
  checkRoot(data);
  const index = join(data, 'index');
  return {
    storage: openStorage(data),
    clock: nodeClock,
    rng: nodeRng,
    deflate: nodeDeflate,
    diamondTypes,
    openIndex: (wipe) => {
      if (wipe) wipeKeyValue(index);
      return openKeyValue(index);
    },
    bootId: bootId(),
    placeMark: placeMark(data),
    chunks: chunkBoundaries,
    strong: () => Promise.resolve(NO_STRONG_LOG),
  };
}

function diamondTypes(): DiamondTypes {
  return createRequire(import.meta.url)('diamond-types-node') as DiamondTypes;
}

/** This device's key, read at first use: most commands never sign. */
export function deviceSigner(context: Context): () => Promise<Signer> {
  let signer: Promise<Signer> | undefined;
  return () => (signer ??= deviceKey(context).then((key) => signerFromSeed(key.seed)));
}

export function deviceKey(context: Context): Promise<DeviceKey> {
  const passphraseFile = context.env['WN_PASSPHRASE_FILE'];
  const home = homeFolder(context.env);
  return loadOrCreateDeviceKey(home, passphraseFile === undefined ? {} : { passphraseFile });
}

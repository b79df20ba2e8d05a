/**
 * Backups: a bundle of all that a copy holds, behind what its configuration says. The
 * device's key isn't in it. Leaves out files, and making a repository of one.
 *
 *   backup = "wn-backup/1\n" record(JSON {config, joining}) bundle       (`bundle.ts`)
 */
import { equalBytes, utf8 } from '../core/bytes.js';
import { hashHex } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import { encodeRecord, RECORD_HEAD_BYTES, readRecord } from '../core/frame.js';
import { PENDING_COMMITS_MAX, SYNC_FRAME_BYTES_MAX } from '../core/limits.js';
import { waiting } from '../repo/exchange.js';
import type { Replica } from '../repo/replica.js';
import {
  parseConfig,
  parseJoining,
  readConfig,
  showJoining,
  type Config,
  type Joining,
} from '../repo/settings.js';
import { atLeast, readBundle, writeBundle, type BundleTarget } from './bundle.js';
import { ReplicaStore } from './replicastore.js';
import type { BundleSource, HaveEntry, Run } from './store.js';

const FAMILY = 'wn-backup/';
const MAGIC = utf8(`${FAMILY}1\n`);

/** What stands before the commits. */
export interface BackupHead {
  readonly config: Config;
  /** A device that joined and had not committed yet. */
  readonly joining: Joining | null;
}

/** All of a copy, as it was when this began: others may go on writing. Throws `too_large`. */
export async function* writeBackup(replica: Replica): AsyncGenerator<Uint8Array, void, undefined> {
  const config = await readConfig(replica.ports.storage);
  const { joining } = replica.author;
  const text = JSON.stringify({ config, joining: joining && showJoining(joining) });
  const head = utf8(text);
  if (head.byteLength > SYNC_FRAME_BYTES_MAX) {
    throw new WnError('too_large', 'the configuration is too large for a backup', {
      hint: 'nothing was written; remove remotes that nobody needs: wn remote remove NAME',
    });
  }
  yield MAGIC;
  yield encodeRecord(head);
  // All logs as they were at one moment, so that no commit is in it without its past.
  do replica.history.allLogs();
  while (replica.catchUp());
  yield* writeBundle(everythingOf(replica), []);
}

/** Beside the frontier also what waits for its past or its time. */
function everythingOf(replica: Replica): BundleSource {
  const store = new ReplicaStore(replica);
  return {
    workspace: store.workspace,
    readBlob: (hash) => store.readBlob(hash),
    blobsSince: (have) => store.blobsSince(have),
    *since(have: readonly HaveEntry[]): Iterable<Run> {
      yield* store.since(have);
      let commits = 0;
      for (const run of waiting(replica)) {
        commits += run.payloads.length;
        // More of them than a reader takes; whoever made them has them.
        if (commits > PENDING_COMMITS_MAX) return;
        yield run;
      }
    },
  };
}

export interface Backup {
  readonly head: BackupHead;
  readonly bundle: AsyncIterable<Uint8Array>;
}

/** Throws `invalid` for what is no backup, `unknown_format` for a newer one, `damage`. */
export async function openBackup(chunks: AsyncIterable<Uint8Array>): Promise<Backup> {
  const source = chunks[Symbol.asyncIterator]();
  const start = MAGIC.byteLength;
  const enough = start + RECORD_HEAD_BYTES + SYNC_FRAME_BYTES_MAX;
  const buffer = await atLeast(source, new Uint8Array(), enough);
  checkMagic(buffer.subarray(0, start));
  const record = readRecord(buffer, start, SYNC_FRAME_BYTES_MAX);
  if (!record.ok) throw damagedBackup();
  const head = parseHead(record.payload);
  return { head, bundle: rest(buffer.subarray(record.next), source) };
}

/** Reads a backup to its end and stores nothing. Throws as `openBackup`. */
export async function checkBackup(chunks: AsyncIterable<Uint8Array>): Promise<BackupHead> {
  const { head, bundle } = await openBackup(chunks);
  await readBackupBundle(bundle, nowhere(head.config.workspace));
  return head;
}

/** Takes its commits and chunks in; throws `damage`. Gives the number of commits. */
export async function readBackupBundle(
  bundle: AsyncIterable<Uint8Array>,
  target: BundleTarget,
): Promise<number> {
  try {
    const { commits, rejected } = await readBundle(bundle, target);
    const [bad] = rejected;
    if (bad === undefined) return commits;
    throw new WnError('damage', `${bad.what}: ${bad.why}`);
  } catch (error) {
    const ours = error instanceof WnError && ['damage', 'invalid'].includes(error.code);
    throw ours ? damagedBackup(error) : error;
  }
}

/** Counts what it is given, and looks whether it is what it is called. */
function nowhere(workspace: string): BundleTarget {
  return {
    workspace,
    headsAt: () => [],
    ingest: async (runs) => {
      const added = runs.reduce((sum, run) => sum + run.payloads.length, 0);
      return { added, pending: 0, rejected: [], forks: 0 };
    },
    writeBlobs: async (chunks) =>
      chunks.filter(({ hash, bytes }) => hashHex('wn/blob/1', bytes) !== hash).length,
  };
}

async function* rest(
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await source.next(); next.done !== true; next = await source.next()) {
    yield next.value;
  }
}

function parseHead(payload: Uint8Array): BackupHead {
  try {
    const { config, joining } = JSON.parse(Buffer.from(payload).toString('utf8')) as {
      readonly config: object;
      readonly joining: object | null;
    };
    const parsed = parseConfig(config);
    if (parsed !== null) return { config: parsed, joining: joining && parseJoining(joining) };
  } catch (error) {
    if (error instanceof Error) throw damagedBackup(error);
  }
  throw damagedBackup();
}

function checkMagic(bytes: Uint8Array): void {
  if (equalBytes(bytes, MAGIC)) return;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.startsWith(FAMILY)) {
    throw new WnError('unknown_format', 'a backup of another version of the format', {
      hint: 'nothing was written; restore it with the version of wn that made it, or a newer one',
    });
  }
  throw new WnError('invalid', 'this is no backup', {
    hint: 'nothing was written; backups are made by: wn backup FILE. For a bundle: wn unbundle',
  });
}

function damagedBackup(cause?: Error): WnError {
  return new WnError('damage', 'this backup is damaged or cut short', {
    hint: 'nothing was restored; get the file anew, or take an older one',
    ...(cause === undefined ? {} : { cause, details: { why: cause.message } }),
  });
}

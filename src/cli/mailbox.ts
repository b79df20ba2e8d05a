/**
 * Mailboxes at a relay: what a device that isn't there lacks is left for it, and what others
 * have left for this one is taken in. Used by itself wherever a remote is behind a relay.
 */
import { utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import { MAILBOX_KEPT_MS, MAILBOX_SENDERS_MAX } from '../core/limits.js';
import type { Remote } from '../repo/settings.js';
import type { SyncMode } from '../sync/frames.js';
import { covers, vectorOf } from '../sync/have.js';
import { isUnavailable } from '../sync/relay/client.js';
import { collect, deposit } from '../sync/relay/deposit.js';
import { openMailbox, type OpenMailbox } from '../sync/relay/mailclient.js';
import { mailboxOf, type Mailbox } from '../sync/relay/seal.js';
import type { ReplicaStore } from '../sync/replicastore.js';
import type { HaveEntry } from '../sync/store.js';
import { parseAddress, type RelayAddress, type RelayPlace } from './address.js';
import type { Context } from './context.js';
import { greetRelay } from './dialrelay.js';
import type { Exchanging } from './exchange.js';
import { recallRemote } from './remotes.js';
import { deviceKey, type Repository } from './repository.js';

/** What was left for a remote, so that the next deposit goes on from there. */
interface Left {
  readonly atMs: number;
  readonly have: readonly HaveEntry[];
}

const leftPath = (name: string): string => `remotes/${name}.mailbox`;

/**
 * Leaves what `remote` lacks, as far as is known here. False if it lacks nothing that isn't
 * waiting for it already and nothing is.
 */
async function leaveMail(
  { context, here: { replica }, shared }: Exchanging,
  remote: Remote,
  address: RelayAddress,
): Promise<boolean> {
  const { storage, clock, rng } = replica.ports;
  const store = shared.store();
  const have = await shared.read(() => store.have());
  const left = await recallLeft(storage, remote.name, clock.wallMs());
  const known = (await recallRemote(storage, remote.name))?.have ?? [];
  const since = left !== null && covers(vectorOf(left.have), vectorOf(known)) ? left.have : known;
  if (covers(vectorOf(since), vectorOf(have))) return since === left?.have;
  const { seed } = await deviceKey(context);
  const mailbox = mailboxOf(seed, replica.device, address.device, replica.ws);
  if (mailbox === null) return false;
  await withMailbox(address, mailbox, (open) =>
    shared.read(() => deposit(store, since, mailbox, open, rng)),
  );
  const text = JSON.stringify({ atMs: clock.wallMs(), have } satisfies Left);
  await storage.replace(leftPath(remote.name), utf8(text));
  return true;
}

/** Null once the relay may have thrown it away. */
async function recallLeft(
  storage: Repository['replica']['ports']['storage'],
  name: string,
  nowMs: number,
): Promise<Left | null> {
  const bytes = await storage.read(leftPath(name));
  if (bytes === null) return null;
  try {
    const left = JSON.parse(Buffer.from(bytes).toString('utf8')) as Left;
    return Math.abs(nowMs - left.atMs) < MAILBOX_KEPT_MS ? left : null;
  } catch {
    return null; // what can't be read is none: more is left than was needed
  }
}

/** Takes in what others have left here for this device; gives how many commits were new. */
export async function collectMail(
  context: Context,
  { replica }: Repository,
  store: ReplicaStore,
  place: RelayPlace,
): Promise<number> {
  const { seed } = await deviceKey(context);
  let added = 0;
  for (const sender of sendersTo(store.have(), replica.device)) {
    const mailbox = mailboxOf(seed, sender, replica.device, replica.ws);
    if (mailbox === null) continue;
    added += await withMailbox(place, mailbox, (open) => collect(store, mailbox, seed, open));
  }
  return added;
}

/** The devices that have ever written here. */
function sendersTo(have: readonly HaveEntry[], own: DeviceId): readonly DeviceId[] {
  const devices = new Set(have.map(({ dev }) => dev));
  devices.delete(own);
  return [...devices].slice(0, MAILBOX_SENDERS_MAX);
}

async function withMailbox<T>(
  place: RelayPlace,
  mailbox: Mailbox,
  use: (open: OpenMailbox) => Promise<T>,
): Promise<T> {
  const greeted = await greetRelay(place);
  try {
    return await use(await openMailbox(greeted, mailbox.key));
  } finally {
    greeted.line.close();
  }
}

/** How many commits came by mail through the relay of `remote`, before it is asked itself. */
export async function mailBefore(
  { context, here, shared }: Exchanging,
  remote: Remote,
  mode: SyncMode,
): Promise<number> {
  const address = relayOf(here, remote);
  if (address === null || mode === 'push') return 0;
  // A relay that fails is found out, and told of, when the remote is dialled.
  return collectMail(context, here, shared.store(), address).catch(ignoringMailFaults(0));
}

/** Leaves mail where a device wasn't there; false where there is none to leave or no place for it. */
export async function mailAfter(
  exchanging: Exchanging,
  remote: Remote,
  mode: SyncMode,
  error: WnError | null,
): Promise<boolean> {
  const address = relayOf(exchanging.here, remote);
  if (address === null || mode === 'pull' || !isUnavailable(error)) return false;
  return leaveMail(exchanging, remote, address).catch(ignoringMailFaults(false));
}

/** Null for a remote that isn't behind a relay. What is wrong with an address, the exchange tells. */
function relayOf({ location }: Repository, { url }: Remote): RelayAddress | null {
  try {
    const address = parseAddress(url, location.root);
    return address.kind === 'relay' ? address : null;
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

/** A mailbox that is full, or too small, leaves everything as it would be without one. */
function ignoringMailFaults<T>(instead: T): (error: unknown) => T {
  return (error) => {
    const mine = error instanceof WnError && MAIL_FAULTS.has(error.code);
    if (!mine) throw error;
    return instead;
  };
}

const MAIL_FAULTS: ReadonlySet<string> = new Set(['unreachable', 'too_large']);

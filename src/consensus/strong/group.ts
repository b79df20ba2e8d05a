/**
 * The group of a workspace: all of it follows from the genesis commit. Leaves out how it
 * changes (`configuration.ts`).
 */
import { recoveryCap, rootCap } from '../../caps/cap.js';
import { asArray, asBytes, decodeCanonical } from '../../core/canonical.js';
import { fromHex, toHex } from '../../core/bytes.js';
import { checkCommit, encodeHeader, type Commit } from '../../core/commit.js';
import { hashHex } from '../../core/crypto.js';
import { WnError } from '../../core/errors.js';
import { rootNode, type DeviceId, type WorkspaceId } from '../../core/ids.js';
import type { Configuration, Genesis, Group, GroupId, Seat } from './types.js';

/** Throws `invalid` for a commit that is no genesis. */
export function genesisOf(commit: Commit): Genesis {
  const ops = checkCommit(commit).flatMap((group) => group?.ops ?? []);
  const genesis = ops.find((op) => op.op === 'genesis');
  if (commit.header.kind !== 'genesis' || genesis === undefined) {
    throw new WnError('invalid', 'not the first commit of a workspace');
  }
  return {
    ws: commit.id,
    creator: commit.header.dev,
    seat: commit.header.epoch,
    recovery: genesis.recovery,
    header: encodeHeader(commit.header),
  };
}

export function groupId(ws: WorkspaceId): GroupId {
  return hashHex('wn/strong/1', fromHex(ws));
}

export function groupOf({ ws, creator, seat, recovery }: Omit<Genesis, 'header'>): Group {
  const root = rootCap(ws, creator);
  return {
    id: groupId(ws),
    ws,
    root: rootNode(ws),
    roots: recovery === null ? [root] : [root, recoveryCap(ws, creator, recovery)],
    first: firstConfiguration(creator, seat),
  };
}

export function firstConfiguration(creator: DeviceId, seat: Seat): Configuration {
  const founder = { id: 1, device: creator, seat, address: '' };
  return { index: 0, voters: [founder], outgoing: [], learners: [] };
}

/**
 * Workspace and founder by the header of a genesis commit, which the workspace's id commits
 * to. Throws `invalid`.
 */
export function founderOf(header: Uint8Array): {
  readonly ws: WorkspaceId;
  readonly creator: DeviceId;
  readonly seat: Seat;
} {
  const parts = asArray(decodeCanonical(header), 'header of the genesis commit', 12);
  const [version, alg, ws, dev, epoch, seq] = parts;
  const isFirst = version === 1 && alg === 1 && seq === 0 && parts[10] === 2;
  if (!isFirst || asBytes(ws, 'workspace').byteLength > 0) {
    throw new WnError('invalid', 'not the header of a genesis commit');
  }
  return {
    ws: hashHex('wn/commit/1', header),
    creator: toHex(asBytes(dev, 'device', 32)),
    seat: toHex(asBytes(epoch, 'epoch', 8)),
  };
}

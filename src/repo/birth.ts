/**
 * How a repository begins: a new workspace with its genesis, or a copy of one that
 * exists elsewhere and that a sync will fill.
 */
import { toHex, utf8 } from '../core/bytes.js';
import { encodeGroup, makeCommit, type Commit } from '../core/commit.js';
import type { Signer } from '../core/crypto.js';
import { nextHlc } from '../core/hlc.js';
import { NO_WORKSPACE, type DeviceId } from '../core/ids.js';
import { CLOCK_AHEAD_MAX_MS } from '../core/limits.js';
import type { Op } from '../core/op.js';
import type { Rng } from '../core/ports.js';
import { beginLog } from './exchange.js';
import { Replica, type ReplicaPorts } from './replica.js';
import {
  FORMAT_LINE,
  writeConfig,
  writeJoining,
  writePlace,
  type Config,
  type Joining,
} from './settings.js';

/** What genesis says. */
export interface Birth {
  readonly name: string;
  readonly deviceName: string;
  /** Public key of the recovery key. */
  readonly recovery: DeviceId | null;
}

/** Begins a workspace: writes the repository's files and the genesis commit. */
export async function createWorkspace(
  ports: ReplicaPorts,
  signer: Signer,
  birth: Birth,
): Promise<Replica> {
  const { storage, rng, clock, placeMark } = ports;
  const epoch = toHex(rng.bytes(8));
  const genesis = genesisCommit(signer, epoch, nextHlc(clock.wallMs(), 0n), birth, rng);
  await writeConfig(storage, {
    workspace: genesis.id,
    name: birth.name,
    device: signer.publicKey,
    remotes: [],
    settings: {},
  });
  await writePlace(storage, { epoch, mark: placeMark });
  await storage.replace('format', utf8(FORMAT_LINE));
  const replica = await Replica.open(ports);
  await replica.transact(async () => {
    beginLog(replica, genesis);
    replica.accept(genesis, 'live');
    await replica.flush(signer);
  });
  return replica;
}

/** Begins a copy of a workspace that exists elsewhere; a sync fills it. */
export async function adoptWorkspace(
  ports: ReplicaPorts,
  config: Config,
  joining: Joining,
): Promise<Replica> {
  const { storage } = ports;
  await writeConfig(storage, config);
  await writeJoining(storage, joining);
  await storage.replace('format', utf8(FORMAT_LINE));
  return Replica.open(ports);
}

function genesisCommit(signer: Signer, epoch: string, hlc: bigint, birth: Birth, rng: Rng): Commit {
  const { name, deviceName, recovery } = birth;
  const ops: readonly Op[] = [
    { op: 'genesis', name, clockAheadMaxMs: CLOCK_AHEAD_MAX_MS, recovery },
    { op: 'device', name: deviceName },
  ];
  const bytes = encodeGroup({ salt: rng.bytes(16), scope: null, msg: null, ops });
  const header = {
    ws: NO_WORKSPACE,
    dev: signer.publicKey,
    epoch,
    seq: 0,
    prev: null,
    deps: [],
    hlc,
    cap: null,
    kind: 'genesis',
  } as const;
  return makeCommit(header, [{ bytes, ops: ops.length, form: 'control' }]);
}

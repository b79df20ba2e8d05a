/**
 * What the held commits say about authority: genesis, capabilities, devices, homes. The
 * rules are `caps`; here is where they look things up. Commits that don't count still
 * carry capabilities, so that no answer rests on a verdict.
 */
import { asArray, asBytes, decodeCanonical, encodeCanonical } from '../core/canonical.js';
import { fromHex, toHex } from '../core/bytes.js';
import { stampedOps, type Commit, type Group } from '../core/commit.js';
import { rootNode, type CapId, type DeviceId, type NodeId, type WorkspaceId } from '../core/ids.js';
import { HOME_IDS_MAX } from '../core/limits.js';
import type { Op } from '../core/op.js';
import { hasActs } from '../caps/acts.js';
import { isSigned, verifyChain } from '../caps/attenuate.js';
import { WnError } from '../core/errors.js';
import { decodeCap, recoveryCap, rootCap, type CarriedCap, type SignedCap } from '../caps/cap.js';
import { fieldType } from '../crdt/registry.js';
import { authorize, permits, type AuthorityView } from '../caps/verdict.js';
import type { Fold } from './fold/fold.js';
import { noteSeen } from './fold/seen.js';
import type { History } from './history.js';
import { key, type Tables } from './index/tables.js';

export interface Genesis {
  readonly creator: DeviceId;
  readonly recovery: DeviceId | null;
  readonly name: string;
}

/** What is known of a device: its name and the capabilities it holds. */
export interface DeviceRecord {
  readonly name: string | null;
  readonly caps: readonly CapId[];
}

export type Judgement =
  { readonly state: 'live' } | { readonly state: 'dead' | 'held'; readonly why: string };

const HOMES_CACHED_MAX = 4_096;

export class Authority implements AuthorityView {
  private genesisCache: Genesis | null = null;
  private rootsCache: readonly SignedCap[] | null = null;
  private readonly caps = new Map<CapId, CarriedCap>();
  private readonly devices = new Map<DeviceId, DeviceRecord>();
  private readonly homes = new Map<NodeId, readonly NodeId[]>();
  /** Capabilities that devices act under, as long as each of theirs is unchanged. */
  private readonly acting = new Map<DeviceId, SignedCap>();

  constructor(
    private readonly tables: Tables,
    private readonly history: History,
    private readonly fold: Fold,
    readonly ws: WorkspaceId,
  ) {}

  /** Null before the genesis commit is here. */
  genesis(): Genesis | null {
    if (this.genesisCache !== null) return this.genesisCache;
    const bytes = this.tables.get(key.meta('genesis'));
    if (bytes === undefined) return null;
    const [creator, recovery, name] = asArray(decodeCanonical(bytes), 'genesis', 3);
    this.genesisCache = {
      creator: toHex(asBytes(creator, 'creator', 32)),
      recovery: recovery instanceof Uint8Array ? toHex(recovery) : null,
      name: name as string,
    };
    return this.genesisCache;
  }

  get roots(): readonly SignedCap[] {
    if (this.rootsCache !== null) return this.rootsCache;
    const genesis = this.genesis();
    if (genesis === null) return [];
    const { creator, recovery } = genesis;
    const root = rootCap(this.ws, creator);
    this.rootsCache = recovery === null ? [root] : [root, recoveryCap(this.ws, creator, recovery)];
    return this.rootsCache;
  }

  capOf(id: CapId): CarriedCap | null {
    const known = this.caps.get(id);
    if (known !== undefined) return known;
    const bytes = this.tables.get(key.cap(id));
    if (bytes === undefined) return null;
    const [cap, sig] = asArray(decodeCanonical(bytes), 'capability', 2);
    const carried = decodeCap(asBytes(cap, 'capability'), asBytes(sig, 'signature', 64));
    this.caps.set(id, carried);
    return carried;
  }

  /** Once it is known it stays as it is: a worknode's id commits to all of it. */
  homeOf(node: NodeId): readonly NodeId[] | null {
    const known = this.homes.get(node);
    if (known !== undefined) return known;
    const home = this.findHome(node);
    if (home === null) return null;
    if (this.homes.size >= HOMES_CACHED_MAX) this.homes.clear();
    this.homes.set(node, home);
    return home;
  }

  private findHome(node: NodeId): readonly NodeId[] | null {
    const root = rootNode(this.ws);
    const home: NodeId[] = [];
    for (let at = node; at !== root;) {
      home.push(at);
      const { created } = this.fold.node(at);
      if (created === null || home.length > HOME_IDS_MAX) return null;
      at = created.parent;
    }
    home.push(root);
    return home.reverse();
  }

  /** Does the commit count, by what its past says? */
  judge(commit: Commit, groups: readonly (Group | null)[]): Judgement {
    const verdict = authorize({ id: commit.id, header: commit.header, groups }, this);
    if (verdict.ok) {
      const unknown = groups.some((group) => group?.ops.some(isOfUnknownType) ?? false);
      return unknown
        ? { state: 'held', why: 'It changes a field of an unknown type.' }
        : { state: 'live' };
    }
    return { state: verdict.held ? 'held' : 'dead', why: verdict.detail };
  }

  /** Takes in what a commit carries about authority, whatever its verdict. */
  take(commit: Commit, groups: readonly (Group | null)[]): void {
    if (!commit.header.groups.some((group) => group.form === 'control')) return;
    for (const { op } of stampedOps(commit, groups)) {
      if (op.op === 'genesis' && commit.id === this.ws) {
        const recovery = op.recovery === null ? null : fromHex(op.recovery);
        const value = encodeCanonical([fromHex(commit.header.dev), recovery, op.name]);
        this.tables.put(key.meta('genesis'), value);
        this.holdCap(rootCap(this.ws, commit.header.dev));
      } else if (op.op === 'grant') {
        this.takeGrant(op.cap, op.sig);
      } else if (op.op === 'device') {
        this.putDevice(commit.header.dev, { ...this.deviceOf(commit.header.dev), name: op.name });
      } else if (op.op === 'seen') {
        noteSeen(this.tables, this.history, { log: commit.log, seq: commit.header.seq }, op.index);
      }
    }
  }

  /** One of a newer kind is kept too: commits that cite it are held, not dead. */
  private takeGrant(bytes: Uint8Array, sig: Uint8Array): void {
    const carried = readGrant(bytes, sig);
    if (carried === null || (carried.known && !isSigned(carried))) return;
    this.tables.put(key.cap(carried.id), encodeCanonical([bytes, sig]));
    if (carried.known) this.holdCap(carried);
  }

  private holdCap({ id, cap }: SignedCap): void {
    const device = this.deviceOf(cap.aud);
    if (!device.caps.includes(id))
      this.putDevice(cap.aud, { ...device, caps: [...device.caps, id] });
  }

  deviceOf(device: DeviceId): DeviceRecord {
    const known = this.devices.get(device);
    if (known !== undefined) return known;
    const bytes = this.tables.get(key.device(device));
    if (bytes === undefined) return { name: null, caps: [] };
    const [name, caps] = asArray(decodeCanonical(bytes), 'device', 2);
    const record = {
      name: typeof name === 'string' ? name : null,
      caps: asArray(caps, 'capabilities').map((id) => toHex(asBytes(id, 'capability', 32))),
    };
    this.devices.set(device, record);
    return record;
  }

  private putDevice(device: DeviceId, record: DeviceRecord): void {
    this.devices.set(device, record);
    this.acting.delete(device);
    this.tables.put(key.device(device), encodeCanonical([record.name, record.caps.map(fromHex)]));
  }

  /** A capability by id, roots included; null if it isn't here or not understood. */
  signedCap(id: CapId): SignedCap | null {
    const root = this.roots.find((cap) => cap.id === id);
    if (root !== undefined) return root;
    const carried = this.capOf(id);
    return carried?.known === true ? carried : null;
  }

  /**
   * The capability that a device acts under at a time: of those that hold then, the one
   * nearest the root with the most rights. Null if it has none.
   */
  actingCap(device: DeviceId, nowMs: number): SignedCap | null {
    const known = this.acting.get(device);
    if (known !== undefined && holdsAt(known, nowMs)) return known;
    let best: SignedCap | null = null;
    for (const id of this.deviceOf(device).caps) {
      const signed = this.signedCap(id);
      if (signed === null || !holdsAt(signed, nowMs)) continue;
      if (best !== null && !widens(signed, best)) continue;
      if (verifyChain(signed, this).ok) best = signed;
    }
    if (best !== null) this.acting.set(device, best);
    return best;
  }

  /** For what a command checks beyond the verdict. True also where the verdict will say no. */
  mayDeleteIn(folder: NodeId, device: DeviceId, nowMs: number): boolean {
    const acting = this.actingCap(device, nowMs);
    const home = this.homeOf(folder);
    return acting === null || home === null || permits(acting.cap, 'delete', home);
  }

  refresh(): void {
    this.genesisCache = null;
    this.rootsCache = null;
    this.caps.clear();
    this.homes.clear();
    this.devices.clear();
    this.acting.clear();
  }
}

/** Null for bytes that are no capability: the commit that carries them is dead for it. */
function readGrant(bytes: Uint8Array, sig: Uint8Array): CarriedCap | null {
  try {
    return decodeCap(bytes, sig);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

function isOfUnknownType(op: Op): boolean {
  return op.op === 'field' && fieldType(op.type) === undefined;
}

function holdsAt({ cap }: SignedCap, nowMs: number): boolean {
  return nowMs >= (cap.nbf ?? 0) && nowMs < (cap.exp ?? Infinity);
}

function widens(a: SignedCap, b: SignedCap): boolean {
  if (a.cap.home.length !== b.cap.home.length) return a.cap.home.length < b.cap.home.length;
  return hasActs(a.cap.act, b.cap.act) && a.cap.act !== b.cap.act;
}

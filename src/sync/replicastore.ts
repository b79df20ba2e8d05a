/**
 * A replica as a sync session sees it. What a device shows on admission is its
 * capability with the chain below the root, so that a peer that has never heard of it
 * can judge.
 */
import { asArray, asBytes, decodeCanonical, encodeCanonical } from '../core/canonical.js';
import { verifyChain, withCaps, type CapView } from '../caps/attenuate.js';
import { decodeCap, encodeCap, type CarriedCap, type SignedCap } from '../caps/cap.js';
import { admit } from '../caps/verdict.js';
import { WnError } from '../core/errors.js';
import { logId, type DeviceId, type Epoch } from '../core/ids.js';
import { CAP_DEPTH_MAX, SYNC_CREDENTIAL_BYTES_MAX } from '../core/limits.js';
import { blobsSince, have, ingest, since } from '../repo/exchange.js';
import type { Replica } from '../repo/replica.js';
import type { KeptCheckpoints } from './kept.js';
import type {
  Admission,
  BundleSource,
  Checkpoint,
  Chunk,
  HaveEntry,
  Ingested,
  Run,
  SyncStore,
} from './store.js';

export class ReplicaStore implements SyncStore, BundleSource {
  constructor(
    protected readonly replica: Replica,
    /** Absent for bundles, which meet nobody. */
    private readonly kept?: KeptCheckpoints,
  ) {}

  get workspace(): string {
    return this.replica.ws;
  }

  get device(): DeviceId {
    return this.replica.device;
  }

  have(): readonly HaveEntry[] {
    return have(this.replica.history);
  }

  headsAt(dev: DeviceId, epoch: Epoch, seq: number): readonly string[] {
    const record = this.replica.history.record({ log: logId(dev, epoch), seq });
    return record === null ? [] : [record.id];
  }

  since(theirs: readonly HaveEntry[]): Iterable<Run> {
    return since(this.replica, theirs);
  }

  ingest(runs: readonly Run[]): Promise<Ingested> {
    return ingest(this.replica, runs);
  }

  blobsWanted(limit: number): readonly string[] {
    return this.replica.wantedBlobs(limit);
  }

  readBlob(hash: string): Uint8Array | null {
    return this.replica.blobs.read(hash);
  }

  blobsSince(theirs: readonly HaveEntry[]): Iterable<string> {
    return blobsSince(this.replica, theirs);
  }

  writeBlobs(chunks: readonly Chunk[]): Promise<number> {
    return this.replica.takeBlobs(chunks);
  }

  credential(): Uint8Array {
    return encodeCanonical(this.chain().map(({ cap, sig }) => [encodeCap(cap), sig]));
  }

  private chain(): readonly SignedCap[] {
    const { authority, device, author, ports } = this.replica;
    const own = authority.actingCap(device, ports.clock.wallMs());
    if (own === null) return author.joining?.caps ?? [];
    const chain = verifyChain(own, authority);
    return chain.ok ? chain.chain : [];
  }

  admit(device: DeviceId | null, credential: Uint8Array): Admission {
    const { authority, ports } = this.replica;
    const shown = readCredential(credential);
    // Another copy of a member's that holds nothing yet: what its device may is known here.
    const own = shown?.length === 0 && device !== null;
    const leaf = own
      ? authority.actingCap(device, ports.clock.wallMs())
      : leafOf(shown?.[shown.length - 1]);
    if (shown === null || leaf === null) return { ok: false, why: 'no capability was shown' };
    const view = authority.genesis() === null ? this.viewUnfilled() : authority;
    if (view === null) return { ok: true };
    const admitted = admit(
      device ?? leaf.cap.aud,
      leaf.id,
      withCaps(view, shown),
      ports.clock.wallMs(),
    );
    return admitted.ok ? { ok: true } : { ok: false, why: admitted.detail };
  }

  /** What to judge by while there is no genesis: null lets in whoever was dialled to fill this. */
  protected viewUnfilled(): CapView | null {
    return null;
  }

  checkpoint(peer: DeviceId): Checkpoint | null {
    return this.kept?.get(peer) ?? null;
  }

  remember(peer: DeviceId, checkpoint: Checkpoint): void {
    this.kept?.put(peer, checkpoint);
  }
}

function leafOf(cap: CarriedCap | undefined): SignedCap | null {
  return cap?.known === true ? cap : null;
}

function readCredential(bytes: Uint8Array): readonly CarriedCap[] | null {
  try {
    const chain = asArray(decodeCanonical(bytes, SYNC_CREDENTIAL_BYTES_MAX), 'credential');
    if (chain.length > CAP_DEPTH_MAX + 1) return null;
    return chain.map((link) => {
      const [cap, sig] = asArray(link, 'capability', 2);
      const signature = sig instanceof Uint8Array ? sig : new Uint8Array(64);
      return decodeCap(asBytes(cap, 'capability'), signature);
    });
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

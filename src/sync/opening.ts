/**
 * The first flight of a session, both roles: HELLO and HAVE, until each side knows whom it
 * speaks to and what the other holds. Nothing of the workspace is said before the peer is
 * admitted. Leaves out the streams that follow.
 */
import { equalBytes } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { encodeMessage, type Have, type Hello, type SyncMode } from './frames.js';
import { admitted, makeHello, stillAdmitted, type GreetingConfig } from './greeting.js';
import {
  applied,
  compare,
  covers,
  EMPTY_VECTOR,
  logKey,
  vectorHash,
  vectorOf,
  without,
  type ForkEvidence,
  type Vector,
} from './have.js';
import { HaveReader, havePages, type Told } from './havepages.js';
import type { Checkpoint } from './store.js';

export interface OpeningConfig extends GreetingConfig {
  /** What to do as the dialler; an answerer does what it is asked for. */
  readonly mode: SyncMode | 'answer';
}

/** A peer that has been admitted. */
export interface Peer {
  readonly hello: Hello;
  readonly version: number;
  /** HELLO of the dialler, then of the answerer. */
  readonly greetings: readonly Uint8Array[];
  readonly checkpoint: Checkpoint | null;
  /** The directions, as this side sees them. */
  readonly sending: boolean;
  readonly receiving: boolean;
}

/** What the two vectors say, once both are there. */
export interface Compared {
  /** As told; a forked log counts as not held on either side, so that both branches travel whole. */
  readonly ours: Vector;
  readonly theirs: Vector;
  readonly forks: readonly ForkEvidence[];
  /** The peer holds nothing that isn't held here. */
  readonly allHeld: boolean;
  /** The peer holds less than after the last sync with it. */
  readonly wentBack: boolean;
}

export class Opening {
  private reader = new HaveReader();
  private helloFrame: Uint8Array | null = null;
  private ours: Vector = EMPTY_VECTOR;
  private asked = false;

  peer: Peer | null = null;
  compared: Compared | null = null;

  constructor(private readonly config: OpeningConfig) {}

  private get answering(): boolean {
    return this.config.mode === 'answer';
  }

  /** The dialler's first flight. */
  dial(mode: SyncMode): readonly Uint8Array[] {
    const { store } = this.config;
    const checkpoint = this.knownBefore();
    this.helloFrame = encodeMessage(makeHello(this.config, mode));
    this.ours = vectorOf(store.have());
    const basis = checkpoint === null ? null : vectorOf(checkpoint.have);
    return [this.helloFrame, ...havePages(this.ours, basis)];
  }

  /**
   * What the peer may be taken to hold before it has said anything, so that commits can
   * leave at once; null unless it still has the right that it showed the last time.
   */
  assumed(): Checkpoint | null {
    // Who followed last time may hold far more than the checkpoint from before that says.
    const { mode } = this.config;
    const checkpoint = mode === 'pull' || mode === 'follow' ? null : this.knownBefore();
    if (checkpoint === null) return null;
    return stillAdmitted(this.config, checkpoint.credential) ? checkpoint : null;
  }

  private knownBefore(): Checkpoint | null {
    const device = this.config.peer ?? this.config.expected ?? this.config.likely;
    return device === null ? null : this.config.store.checkpoint(device);
  }

  /** Admits the peer, or throws a refusal. Gives the answerer's HELLO. */
  greet(hello: Hello, frame: Uint8Array): readonly Uint8Array[] {
    const version = admitted(this.config, hello);
    const { answering } = this;
    if (!answering && hello.mode !== this.config.mode) {
      throw new WnError('invalid', 'an answer to another question');
    }
    const own = this.helloFrame ?? encodeMessage(makeHello(this.config, hello.mode));
    const [pushes, pulls] = [hello.mode !== 'pull', hello.mode !== 'push'];
    this.peer = {
      hello,
      version,
      greetings: answering ? [frame, own] : [own, frame],
      checkpoint: this.config.store.checkpoint(hello.device),
      sending: answering ? pulls : pushes,
      receiving: answering ? pushes : pulls,
    };
    return answering ? [own] : [];
  }

  /** The peer doesn't know the basis of our vector: the whole of it. */
  tellAll(): readonly Uint8Array[] {
    if (this.answering || this.compared !== null || this.asked) {
      throw new WnError('invalid', 'a question out of turn');
    }
    this.asked = true;
    return havePages(this.ours, null);
  }

  /** Takes a page of the peer's vector; with the last, `compared` is there. Gives what to answer. */
  have(peer: Peer, page: Have): readonly Uint8Array[] {
    if (this.compared !== null) throw new WnError('invalid', 'a second vector');
    const told = this.reader.add(page);
    if (told === null) return [];
    const basis = this.basisOf(peer, told);
    if (basis !== null) return this.compare(peer, applied(basis, told.delta));
    if (!this.answering || this.asked) {
      throw new WnError('invalid', 'a basis that was never agreed on');
    }
    this.asked = true;
    this.reader = new HaveReader();
    return [encodeMessage({ type: 'ask' })];
  }

  /** The vector that the peer's differs from; null if it isn't known here. */
  private basisOf(peer: Peer, told: Told): Vector | null {
    if (told.basis === null) return EMPTY_VECTOR;
    const vector = this.answering ? vectorOf(peer.checkpoint?.have ?? []) : this.ours;
    return equalBytes(vectorHash(vector), told.basis) ? vector : null;
  }

  private compare(peer: Peer, told: Vector): readonly Uint8Array[] {
    const { store } = this.config;
    const { forks, allHeld } = compare(store, told);
    const forked = new Set(forks.map(logKey));
    if (this.answering) this.ours = without(vectorOf(store.have()), forked);
    const before = peer.checkpoint === null ? EMPTY_VECTOR : vectorOf(peer.checkpoint.have);
    const wentBack = !covers(told, before);
    const theirs = without(told, forked);
    this.compared = { ours: this.ours, theirs, forks, allHeld, wentBack };
    return this.answering ? havePages(this.ours, told) : [];
  }
}

/**
 * One exchange between two replicas, as a pure state machine: events in, effects out,
 * reads of the store in between, no promises. Both roles and all modes are here; the
 * halves that stream are `outgoing.ts` and `incoming.ts`, and `driver.ts` does the
 * effects. Leaves out proof of who the peer is: that is the channel's business.
 *
 *   dialler   HELLO HAVE [RUNS…]                    RUNS… END     BLOB…   DONE
 *   answerer                     HELLO HAVE RUNS… END     CREDIT…  WANT…   DONE
 *
 * DONE is due from whoever got commits or wanted chunks. The dialler streams before it
 * has heard anything if the last sync with this peer left a checkpoint.
 */
import { equalBytes } from '../core/bytes.js';
import { assert, WnError } from '../core/errors.js';
import {
  SYNC_FORKS_REPORTED_MAX,
  SYNC_FRAME_BYTES_MAX,
  SYNC_IGNORED_MAX,
  SYNC_UNPROVEN_FRAME_BYTES,
} from '../core/limits.js';
import { checkpointOf } from './checkpoint.js';
import { decodeMessage } from './decode.js';
import { bound } from './digest.js';
import type { SyncEffect, SyncEvent, SyncOutcome } from './effects.js';
import {
  encodeMessage,
  type Done,
  type Have,
  type Hello,
  type Message,
  type SyncMode,
} from './frames.js';
import {
  cutShort,
  GO_ON,
  refusal,
  refusalOf,
  refusedByPeer,
  STORE_FAILED,
  tellable,
} from './refusal.js';
import { admitted, makeHello, stillAdmitted, type GreetingConfig } from './greeting.js';
import {
  applied,
  compare,
  covers,
  EMPTY_VECTOR,
  entriesOf,
  logKey,
  vectorHash,
  vectorOf,
  without,
  type Vector,
} from './have.js';
import { HaveReader, havePages, type Told } from './havepages.js';
import { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { packBlobs, packRuns } from './pack.js';
import type { Checkpoint } from './store.js';

export interface SessionConfig extends GreetingConfig {
  /** What to do as the dialler; an answerer does what it is asked for. */
  readonly mode: SyncMode | 'answer';
  /** False: chunks are fetched when somebody needs them. */
  readonly wantsBlobs: boolean;
}

/** Known once the peer has been admitted. */
interface Peer {
  readonly hello: Hello;
  readonly version: number;
  /** HELLO of the dialler, then of the answerer. */
  readonly greetings: readonly Uint8Array[];
  readonly checkpoint: Checkpoint | null;
  readonly sending: boolean;
  readonly receiving: boolean;
  readonly incoming: Incoming;
}

export class SyncSession {
  private readonly out = new Outgoing();
  private haveReader = new HaveReader();
  private helloFrame: Uint8Array | null = null;
  private peer: Peer | null = null;
  /** What was told to be held here, and what the peer told. */
  private ours: Vector = EMPTY_VECTOR;
  private theirs: Vector | null = null;
  /** What the peer is taken to hold while it hasn't said; null: nothing was sent yet. */
  private assumed: Vector | null = null;
  private asked = false;
  private endSent = false;
  private peerDone: Done | null = null;
  private forksSeen = 0;
  private wentBack = false;
  private ignored = 0;
  /** Why the session ends before its time, while the store still works. */
  private failure: WnError | null = null;
  private salvaging = false;
  private ended = false;

  constructor(private readonly config: SessionConfig) {}

  /** Whether the peer has proven that it may be here: until then it has less time and room. */
  get admitted(): boolean {
    return this.peer !== null;
  }

  handle(event: SyncEvent): readonly SyncEffect[] {
    if (this.ended) return [];
    try {
      if (this.failure !== null) return this.whileEnding(event);
      return this.on(event);
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      return this.fail(error, tellable(error));
    }
  }

  private on(event: SyncEvent): readonly SyncEffect[] {
    switch (event.on) {
      case 'open':
        return this.config.mode === 'answer' ? [] : this.dial(this.config.mode);
      case 'frame':
        return this.onFrame(event.frame);
      case 'ingested':
      case 'kept':
        this.settle(event);
        this.peer?.incoming.checkStored();
        return this.advance();
      case 'storeFailed':
        this.settle(event);
        return this.fail(event.error, STORE_FAILED);
      case 'closed':
        return this.salvage(cutShort(event.why));
      case 'timeout':
        return this.timeout();
      case 'abort':
        throw refusal('interrupted', 'interrupted; what was stored stays', 'run it again to go on');
    }
  }

  private dial(mode: SyncMode): readonly SyncEffect[] {
    this.helloFrame = encodeMessage(makeHello(this.config, mode));
    this.ours = vectorOf(this.config.store.have());
    const known = this.config.peer ?? this.config.expected;
    const checkpoint = known === null ? null : this.config.store.checkpoint(known);
    const basis = checkpoint === null ? null : vectorOf(checkpoint.have);
    const sending = mode !== 'pull';
    if (checkpoint !== null && sending && stillAdmitted(this.config, checkpoint.credential)) {
      this.assumed = basis;
      this.out.add(packRuns(this.config.store.since(checkpoint.have)));
    }
    return sends([this.helloFrame, ...havePages(this.ours, basis), ...this.out.frames()]);
  }

  private onFrame(frame: Uint8Array): readonly SyncEffect[] {
    const bytesMax = this.peer === null ? SYNC_UNPROVEN_FRAME_BYTES : SYNC_FRAME_BYTES_MAX;
    const message = decodeMessage(frame, bytesMax);
    if (message?.type === 'error') return this.salvage(refusedByPeer(message.code, message.text));
    if (this.peer === null) {
      if (message?.type !== 'hello') throw new WnError('invalid', 'something before a greeting');
      return this.greet(message, frame);
    }
    if (message === null) {
      this.ignored += 1;
      if (this.ignored > SYNC_IGNORED_MAX) throw new WnError('invalid', 'too much unknown');
      return [];
    }
    return this.onMessage(this.peer, message, frame);
  }

  private greet(hello: Hello, frame: Uint8Array): readonly SyncEffect[] {
    const version = admitted(this.config, hello);
    const answering = this.config.mode === 'answer';
    if (!answering && hello.mode !== this.config.mode) {
      throw new WnError('invalid', 'an answer to another question');
    }
    const own = this.helloFrame ?? encodeMessage(makeHello(this.config, hello.mode));
    const [pushes, pulls] = [hello.mode !== 'pull', hello.mode !== 'push'];
    const receiving = answering ? pushes : pulls;
    const { store, wantsBlobs } = this.config;
    this.peer = {
      hello,
      version,
      greetings: answering ? [frame, own] : [own, frame],
      checkpoint: store.checkpoint(hello.device),
      sending: answering ? pulls : pushes,
      receiving,
      incoming: new Incoming({ store, receiving, wantsBlobs }),
    };
    return answering ? sends([own]) : [];
  }

  private onMessage(peer: Peer, message: Message, frame: Uint8Array): readonly SyncEffect[] {
    switch (message.type) {
      case 'have':
        return this.onHave(peer, message);
      case 'ask':
        if (this.config.mode === 'answer' || this.theirs !== null || this.asked) {
          throw new WnError('invalid', 'a question out of turn');
        }
        this.asked = true;
        return sends(havePages(this.ours, null));
      case 'runs':
      case 'part':
      case 'blob':
        peer.incoming.take(message, frame);
        return this.advance();
      case 'credit':
        this.out.grant(message.bytes);
        return this.advance();
      case 'end':
        if (this.theirs === null) throw new WnError('invalid', 'an end before the beginning');
        peer.incoming.takeEnd(message, peer.greetings);
        return this.advance();
      case 'want':
        if (!this.endSent || !peer.sending || !this.out.drained || this.peerDone !== null) {
          throw new WnError('invalid', 'a want out of turn');
        }
        this.out.add(packBlobs(this.config.store, message.hashes));
        return this.advance();
      case 'done':
        return this.onDone(peer, message);
      default:
        throw new WnError('invalid', `a message out of place: ${message.type}`);
    }
  }

  private onHave(peer: Peer, page: Have): readonly SyncEffect[] {
    if (this.theirs !== null) throw new WnError('invalid', 'a second vector');
    const told = this.haveReader.add(page);
    if (told === null) return [];
    const basis = this.basisOf(peer, told);
    if (basis === null) {
      const mayAsk = this.config.mode === 'answer' && !this.asked;
      if (!mayAsk) throw new WnError('invalid', 'a basis that was never agreed on');
      this.asked = true;
      this.haveReader = new HaveReader();
      return sends([encodeMessage({ type: 'ask' })]);
    }
    this.theirs = applied(basis, told.delta);
    return [...this.compared(peer, this.theirs), ...this.advance()];
  }

  /** The vector that the peer's differs from; null if it isn't known here. */
  private basisOf(peer: Peer, told: Told): Vector | null {
    if (told.basis === null) return EMPTY_VECTOR;
    const answering = this.config.mode === 'answer';
    const vector = answering ? vectorOf(peer.checkpoint?.have ?? []) : this.ours;
    return equalBytes(vectorHash(vector), told.basis) ? vector : null;
  }

  /**
   * Both vectors are there: tell ours, if the peer waits for it, and open the source of
   * what it lacks. A forked log counts as not held on either side, so that both branches
   * travel whole, and with them the proof.
   */
  private compared(peer: Peer, theirs: Vector): readonly SyncEffect[] {
    const { store, mode, wantsBlobs } = this.config;
    const { forks, allHeld } = compare(store, theirs);
    const forked = new Set(forks.map(logKey));
    const effects: SyncEffect[] = forks
      .slice(0, SYNC_FORKS_REPORTED_MAX)
      .map((evidence) => ({ do: 'reportFork', evidence }));
    this.forksSeen = forks.length;
    this.wentBack = peer.checkpoint !== null && !covers(theirs, vectorOf(peer.checkpoint.have));
    peer.incoming.satisfied =
      !peer.receiving || (allHeld && !(wantsBlobs && store.blobsWanted(1).length > 0));
    if (mode === 'answer') {
      this.ours = without(vectorOf(store.have()), forked);
      effects.push(...sends(havePages(this.ours, theirs)));
    }
    const guessed = this.assumed !== null && forks.length === 0 && covers(theirs, this.assumed);
    if (peer.sending && !guessed) {
      this.out.add(packRuns(store.since(entriesOf(without(theirs, forked)))));
    }
    return effects;
  }

  private onDone(peer: Peer, done: Done): readonly SyncEffect[] {
    const { out } = this;
    const same =
      this.endSent &&
      out.drained &&
      done.commits === out.commits &&
      done.blobs === out.blobs &&
      equalBytes(done.digest, bound(peer.greetings, out.digest));
    if (!same || this.peerDone !== null) {
      throw new WnError('invalid', 'a receipt that does not match what was sent');
    }
    this.peerDone = done;
    return this.advance();
  }

  /** Sends what may leave, sees to what came in, and ends when both sides know all. */
  private advance(): readonly SyncEffect[] {
    const { peer } = this;
    if (peer === null) return [];
    const effects: SyncEffect[] = [...sends(this.out.frames())];
    if (this.theirs !== null && !this.endSent && this.out.drained) {
      this.endSent = true;
      const { satisfied } = peer.incoming;
      const digest = bound(peer.greetings, this.out.digest);
      const frame = encodeMessage({ type: 'end', commits: this.out.commits, satisfied, digest });
      effects.push({ do: 'send', frame });
    }
    effects.push(...peer.incoming.effects(peer.greetings));
    if (this.endSent && peer.incoming.done && this.receiptHeld(peer)) {
      effects.push(...this.remember(peer), this.end(null));
    }
    return effects;
  }

  private receiptHeld(peer: Peer): boolean {
    if (this.peerDone !== null) return true;
    return peer.incoming.peerEnd?.satisfied === true && this.out.commits === 0;
  }

  private remember(peer: Peer): readonly SyncEffect[] {
    const { ours, theirs } = this;
    const heldBack = peer.incoming.heldBack + (this.peerDone?.heldBack ?? 0);
    if (theirs === null || this.forksSeen > 0 || heldBack > 0) return [];
    const { version, sending, receiving, hello } = peer;
    const agreed = { ours, theirs, sending, receiving, version, credential: hello.credential };
    const checkpoint = checkpointOf(agreed, peer.checkpoint);
    return checkpoint === null ? [] : [{ do: 'remember', peer: hello.device, checkpoint }];
  }

  /** Ends with `error`; the peer is told `reason`, which says nothing of this machine. */
  private fail(error: WnError, reason: WnError): readonly SyncEffect[] {
    this.failure = error;
    this.out.stop();
    const frame = encodeMessage({ type: 'error', code: refusalOf(reason), text: reason.message });
    return [{ do: 'send', frame }, ...this.whenIdle()];
  }

  private timeout(): readonly SyncEffect[] {
    const text = this.admitted ? 'silence for too long' : 'no greeting in time';
    const frame = encodeMessage({ type: 'error', code: 'timeout', text });
    return [{ do: 'send', frame }, ...this.salvage(refusal('timeout', text, GO_ON))];
  }

  /** Ends because the peer is gone; what came whole is stored before that. */
  private salvage(error: WnError): readonly SyncEffect[] {
    this.failure = error;
    this.salvaging = true;
    this.out.stop();
    return this.whenIdle();
  }

  private whileEnding(event: SyncEvent): readonly SyncEffect[] {
    if (event.on !== 'ingested' && event.on !== 'kept' && event.on !== 'storeFailed') return [];
    this.settle(event);
    if (event.on === 'storeFailed') this.salvaging = false;
    return this.whenIdle();
  }

  private whenIdle(): readonly SyncEffect[] {
    const incoming = this.peer?.incoming;
    if (incoming?.busy === true) return [];
    const rest = this.salvaging ? (incoming?.store() ?? []) : [];
    return rest.length > 0 ? rest : [this.end(this.failure)];
  }

  private settle(event: Extract<SyncEvent, { on: 'ingested' | 'kept' | 'storeFailed' }>): void {
    const incoming = this.peer?.incoming;
    assert(incoming?.busy === true, 'an answer of the store that nobody waits for');
    if (event.on === 'ingested') incoming.ingested(event.result);
    else if (event.on === 'kept') incoming.kept(event.refused);
    else incoming.stored();
  }

  private end(error: WnError | null): SyncEffect {
    this.ended = true;
    const incoming = this.peer?.incoming;
    const outcome: SyncOutcome = {
      peer: this.peer?.hello.device ?? null,
      error,
      sent: this.out.commits,
      received: incoming?.added ?? 0,
      pending: incoming?.pending ?? 0,
      rejected: incoming?.rejected ?? [],
      blobsSent: this.out.blobs,
      blobsReceived: incoming?.blobs ?? 0,
      blobsAbsent: incoming?.blobsAbsent ?? 0,
      forksProven: incoming?.forksProven ?? 0,
      // A forked log is told as not held: that is no going back.
      wentBack: this.wentBack && this.forksSeen + (incoming?.forksProven ?? 0) === 0,
    };
    return { do: 'end', outcome };
  }
}

function sends(frames: readonly Uint8Array[]): readonly SyncEffect[] {
  return frames.map((frame) => ({ do: 'send', frame }));
}

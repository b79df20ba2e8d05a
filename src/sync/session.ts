/**
 * One exchange between two replicas, as a pure state machine: events in, effects out,
 * reads of the store in between, no promises. Both roles and all modes are here; the
 * halves that stream are `outgoing.ts` and `incoming.ts`, and `driver.ts` does the
 * effects. Leaves out proof of who the peer is: that is the channel's business.
 *
 *   dialler   HELLO HAVE [RUNS…]                    RUNS… END     BLOB…   DONE
 *   answerer                     HELLO HAVE RUNS… END     CREDIT…  WANT…   DONE
 *
 * A dialler that follows stays then, and both say what comes (`live.ts`). DONE is due from whoever got commits or wanted chunks. The dialler streams before it
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
  creditMax,
  encodeMessage,
  type Done,
  type Have,
  type Hello,
  type Message,
} from './frames.js';
import { covers, entriesOf, merged, vectorOf, type Vector } from './have.js';
import { Incoming } from './incoming.js';
import { Live } from './live.js';
import { Opening, type Compared, type OpeningConfig, type Peer } from './opening.js';
import { Outgoing } from './outgoing.js';
import { packBlobs, packRuns } from './pack.js';
import {
  cutShort,
  GO_ON,
  refusal,
  refusalOf,
  refusedByPeer,
  storeFailed,
  tellable,
} from './refusal.js';
import type { HaveEntry } from './store.js';

export interface SessionConfig extends OpeningConfig {
  /** False: chunks are fetched when somebody needs them. */
  readonly wantsBlobs: boolean;
  /** Whether it may go on when the exchange is through, as a dialler that follows asks for. */
  readonly mayFollow: boolean;
}

/** The two halves of the exchange, once the peer is admitted. */
interface Halves {
  readonly peer: Peer;
  readonly incoming: Incoming;
}

export class SyncSession {
  private readonly opening: Opening;
  private readonly out = new Outgoing();
  private halves: Halves | null = null;
  /** What commits were sent on top of before the peer had said what it holds. */
  private assumed: Vector | null = null;
  private endSent = false;
  private receipt: Done | null = null;
  private live: Live | null = null;
  private ignored = 0;
  /** Why the session ends before its time, while the store still works. */
  private failure: WnError | null = null;
  private ending = false;
  private salvaging = false;
  private ended = false;

  constructor(private readonly config: SessionConfig) {
    this.opening = new Opening(config);
  }

  /** Whether the peer has proven that it may be here: until then it has less time and room. */
  get admitted(): boolean {
    return this.halves !== null;
  }

  /** The exchange is through, and the session stays. */
  get following(): boolean {
    return this.live !== null && !this.ending && !this.ended;
  }

  handle(event: SyncEvent): readonly SyncEffect[] {
    if (this.ended) return [];
    try {
      if (this.ending) return this.whileEnding(event);
      return this.on(event);
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      return this.fail(error, tellable(error));
    }
  }

  private on(event: SyncEvent): readonly SyncEffect[] {
    switch (event.on) {
      case 'open':
        return this.open();
      case 'frame':
        return this.onFrame(event.frame);
      case 'ingested':
      case 'kept':
        this.settle(event);
        this.halves?.incoming.checkStored();
        return this.advance();
      case 'storeFailed':
        this.settle(event);
        return this.fail(event.error, storeFailed(event.error));
      case 'closed':
        return this.salvage(this.following && event.why === null ? null : cutShort(event.why));
      case 'news':
        this.live?.news();
        return this.advance();
      case 'quiet':
        return this.live === null ? [] : [this.live.stored()];
      case 'timeout':
        return this.timeout();
      case 'abort':
        throw refusal('interrupted', 'interrupted; what was stored stays', 'run it again to go on');
    }
  }

  private open(): readonly SyncEffect[] {
    if (this.config.mode === 'answer') return [];
    const flight = this.opening.dial(this.config.mode);
    const assumed = this.opening.assumed();
    if (assumed !== null) {
      this.assumed = vectorOf(assumed.have);
      this.out.add(packRuns(this.config.store.since(assumed.have)));
    }
    return sends([...flight, ...this.out.frames()]);
  }

  private onFrame(frame: Uint8Array): readonly SyncEffect[] {
    const bytesMax = this.admitted ? SYNC_FRAME_BYTES_MAX : SYNC_UNPROVEN_FRAME_BYTES;
    const message = decodeMessage(frame, bytesMax);
    if (message?.type === 'error') {
      // One that stays until it is told to go has not been cut short by going.
      const leaves = this.following && message.code === 'interrupted';
      return this.salvage(leaves ? null : refusedByPeer(message.code, message.text));
    }
    if (this.halves === null) {
      if (message?.type !== 'hello') throw new WnError('invalid', 'something before a greeting');
      return this.greet(message, frame);
    }
    if (message !== null && this.live !== null) {
      this.live.take(message, frame);
      return this.live.effects();
    }
    if (message !== null) return this.onMessage(this.halves, message, frame);
    this.ignored += 1;
    if (this.ignored > SYNC_IGNORED_MAX) throw new WnError('invalid', 'too much that is unknown');
    return [];
  }

  private greet(hello: Hello, frame: Uint8Array): readonly SyncEffect[] {
    if (hello.mode === 'follow' && !this.config.mayFollow) {
      throw refusal('version', 'nobody stays connected here; sync from time to time instead');
    }
    const flight = this.opening.greet(hello, frame);
    const { peer } = this.opening;
    assert(peer !== null, 'a greeting that neither admitted nor refused');
    const { store, wantsBlobs } = this.config;
    this.halves = {
      peer,
      incoming: new Incoming({
        store,
        receiving: peer.receiving,
        wantsBlobs,
        creditMax: creditMax(peer.version),
      }),
    };
    return sends(flight);
  }

  private onMessage(
    { peer, incoming }: Halves,
    message: Message,
    frame: Uint8Array,
  ): readonly SyncEffect[] {
    switch (message.type) {
      case 'have':
        return this.onHave(peer, incoming, message);
      case 'ask':
        return sends(this.opening.tellAll());
      case 'runs':
      case 'part':
      case 'blob':
        incoming.take(message, frame);
        return this.advance();
      case 'credit':
        this.out.grant(message.bytes, creditMax(peer.version));
        return this.advance();
      case 'end':
        if (this.opening.compared === null) throw new WnError('invalid', 'an end too early');
        incoming.takeEnd(message, peer.greetings);
        return this.advance();
      case 'want':
        return this.onWant(peer, message.hashes);
      case 'done':
        return this.onDone(peer, message);
      default:
        throw new WnError('invalid', `a message out of place: ${message.type}`);
    }
  }

  private onHave(peer: Peer, incoming: Incoming, page: Have): readonly SyncEffect[] {
    const flight = sends(this.opening.have(peer, page));
    const { compared } = this.opening;
    if (compared === null) return flight;
    const { forks, theirs, allHeld } = compared;
    const { store, wantsBlobs } = this.config;
    const blobsWanted = wantsBlobs && store.blobsWanted(1).length > 0;
    incoming.satisfied = !peer.receiving || (allHeld && !blobsWanted);
    const rightly = this.assumed !== null && forks.length === 0 && covers(theirs, this.assumed);
    if (peer.sending && !rightly) this.out.add(packRuns(store.since(entriesOf(theirs))));
    const reports = forks
      .slice(0, SYNC_FORKS_REPORTED_MAX)
      .map((evidence): SyncEffect => ({ do: 'reportFork', evidence }));
    return [...reports, ...flight, ...this.advance()];
  }

  private onWant(peer: Peer, hashes: readonly string[]): readonly SyncEffect[] {
    const inTurn = this.endSent && peer.sending && this.out.drained && this.receipt === null;
    if (!inTurn) throw new WnError('invalid', 'a want out of turn');
    this.out.add(packBlobs(this.config.store, hashes));
    return this.advance();
  }

  private onDone(peer: Peer, done: Done): readonly SyncEffect[] {
    const { out } = this;
    const same =
      this.endSent &&
      out.drained &&
      done.commits === out.commits &&
      done.blobs === out.blobs &&
      equalBytes(done.digest, bound(peer.greetings, out.digest));
    if (!same || this.receipt !== null) {
      throw new WnError('invalid', 'a receipt that does not match what was sent');
    }
    this.receipt = done;
    return this.advance();
  }

  /** Sends what may leave, sees to what came in, and ends when both sides know all. */
  private advance(): readonly SyncEffect[] {
    if (this.live !== null) return this.live.effects();
    const { halves, out } = this;
    const { compared } = this.opening;
    const effects: SyncEffect[] = [...sends(out.frames())];
    if (halves === null) return effects;
    const { peer, incoming } = halves;
    if (compared !== null && !this.endSent && out.drained) {
      this.endSent = true;
      const { satisfied } = incoming;
      const digest = bound(peer.greetings, out.digest);
      const frame = encodeMessage({ type: 'end', commits: out.commits, satisfied, digest });
      effects.push({ do: 'send', frame });
    }
    effects.push(...incoming.effects(peer.greetings));
    if (compared !== null && this.endSent && incoming.done && this.acknowledged(incoming)) {
      effects.push(...this.remember(halves, compared));
      if (peer.hello.mode === 'follow') effects.push(...this.stay(halves, compared));
      else effects.push(this.end(null));
    }
    return effects;
  }

  private stay({ peer, incoming }: Halves, { ours, theirs }: Compared): readonly SyncEffect[] {
    const both = merged(ours, theirs);
    this.live = new Live({ store: this.config.store, peer, out: this.out, incoming, both });
    return [{ do: 'settled', outcome: this.outcome(null) }, ...this.live.effects()];
  }

  private acknowledged(incoming: Incoming): boolean {
    if (this.receipt !== null) return true;
    return incoming.peerEnd?.satisfied === true && this.out.commits === 0;
  }

  private remember({ peer, incoming }: Halves, compared: Compared): readonly SyncEffect[] {
    const heldBack = incoming.heldBack + (this.receipt?.heldBack ?? 0);
    if (compared.forks.length > 0 || heldBack > 0) return [];
    const { hello, version, sending, receiving } = peer;
    const { ours, theirs } = compared;
    const agreed = { ours, theirs, sending, receiving, version, credential: hello.credential };
    const checkpoint = checkpointOf(agreed, peer.checkpoint);
    return checkpoint === null ? [] : [{ do: 'remember', peer: hello.device, checkpoint }];
  }

  /** Ends with `error`; the peer is told `reason`, which says nothing of this machine. */
  private fail(error: WnError, reason: WnError): readonly SyncEffect[] {
    this.failure = error;
    this.ending = true;
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
  private salvage(error: WnError | null): readonly SyncEffect[] {
    this.failure = error;
    this.ending = true;
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
    const incoming = this.halves?.incoming;
    if (incoming?.busy === true) return [];
    const rest = this.salvaging ? (incoming?.store() ?? []) : [];
    return rest.length > 0 ? rest : [this.end(this.failure)];
  }

  private settle(event: Extract<SyncEvent, { on: 'ingested' | 'kept' | 'storeFailed' }>): void {
    const incoming = this.halves?.incoming;
    assert(incoming?.busy === true, 'an answer of the store that nobody waits for');
    if (event.on === 'ingested') incoming.ingested(event.result);
    else if (event.on === 'kept') incoming.kept(event.refused);
    else incoming.stored();
  }

  private peerHave({ ours, theirs }: Compared, error: WnError | null): readonly HaveEntry[] {
    if (this.live !== null) return this.live.peerHave;
    const took = error === null && this.opening.peer?.sending === true;
    return entriesOf(took ? merged(ours, theirs) : theirs);
  }

  private end(error: WnError | null): SyncEffect {
    this.ended = true;
    return { do: 'end', outcome: this.outcome(error) };
  }

  private outcome(error: WnError | null): SyncOutcome {
    const { compared } = this.opening;
    const incoming = this.halves?.incoming;
    const forks = (compared?.forks.length ?? 0) + (incoming?.forksProven ?? 0);
    return {
      peer: this.opening.peer?.hello.device ?? null,
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
      wentBack: forks === 0 && compared?.wentBack === true,
      peerHave: compared === null ? null : this.peerHave(compared, error),
    };
  }
}

function sends(frames: readonly Uint8Array[]): readonly SyncEffect[] {
  return frames.map((frame) => ({ do: 'send', frame }));
}

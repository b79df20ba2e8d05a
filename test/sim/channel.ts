/**
 * Two ends of a channel over a simulated line: frames travel in pieces, each piece takes
 * its time, and the line may be cut anywhere, even within a frame. Leaves out
 * encryption and who the peer is: a `SecureChannel` has both behind it.
 */
import { WnError } from '../../src/core/errors.js';
import type { Clock, SecureChannel } from '../../src/core/ports.js';
import type { Seeded } from './random.js';

export interface SimLineOptions {
  readonly clock: Clock;
  readonly random: Seeded;
  /** How long a piece may take at most. */
  readonly latencyMs?: number;
  /** Frames are sent in at most this many pieces. */
  readonly piecesMax?: number;
  /** The line breaks with this probability at each piece. */
  readonly cutChance?: number;
  /** Bytes on their way in one direction before `send` waits. */
  readonly windowBytes?: number;
  /** The device at each end (hex public key), as the other end is told. */
  readonly devices?: readonly [a: string | null, b: string | null];
}

export class SimLine {
  readonly a: SecureChannel;
  readonly b: SecureChannel;
  readonly #toA: Direction;
  readonly #toB: Direction;
  /** Pieces that would have arrived while the line was stalled; null while it isn't. */
  #held: (() => void)[] | null = null;

  constructor(options: SimLineOptions) {
    const [deviceA, deviceB] = options.devices ?? [null, null];
    this.#toA = new Direction(this, options);
    this.#toB = new Direction(this, options);
    this.a = new End(deviceB, this.#toA, this.#toB);
    this.b = new End(deviceA, this.#toB, this.#toA);
  }

  /** Nothing arrives any more, and nothing is lost, until `resume`. */
  stall(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const piece of held) piece();
  }

  /** Lands a piece, now or when the line is resumed. */
  land(piece: () => void): void {
    if (this.#held === null) piece();
    else this.#held.push(piece);
  }

  /** Breaks the line: what was on its way is lost, both ends get `unreachable`. */
  cut(): void {
    this.#toA.breakOff();
    this.#toB.breakOff();
  }
}

/** The line in one direction: pieces in order, whole frames out. */
class Direction {
  readonly #line: SimLine;
  readonly #options: SimLineOptions;
  readonly #windowBytes: number;
  readonly #arrived: Uint8Array[] = [];
  /** Those who wait for a frame, for room, or for the end. */
  #waiting: (() => void)[] = [];
  /** Pieces that haven't arrived, in order. */
  readonly #onTheWay: (() => void)[] = [];
  #onTheWayBytes = 0;
  #lastDueMs = 0;
  #state: 'open' | 'closing' | 'closed' | 'broken' = 'open';

  constructor(line: SimLine, options: SimLineOptions) {
    this.#line = line;
    this.#options = options;
    this.#windowBytes = options.windowBytes ?? 64 * 1024;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw unreachable();
    this.#onTheWayBytes += frame.byteLength;
    const copy = frame.slice();
    const pieces = this.#options.random.int(1, this.#options.piecesMax ?? 4);
    for (let piece = 1; piece <= pieces; piece++) {
      this.#travel(() => {
        if (piece === pieces) this.#arrive(copy);
      });
    }
    while (this.#onTheWayBytes >= this.#windowBytes && this.#isOpen()) await this.#change();
    if (this.#isBroken()) throw unreachable();
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.#arrived.shift();
      if (frame !== undefined) {
        this.#onTheWayBytes -= frame.byteLength;
        this.#wake();
        yield frame;
      } else if (this.#state === 'broken') {
        throw unreachable();
      } else if (this.#state === 'closed') {
        return;
      } else {
        await this.#change();
      }
    }
  }

  /** No more frames; those on their way still arrive. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#travel(() => {
      this.#state = 'closed';
      this.#wake();
    });
  }

  /** The reader goes: the writer's next frame would go nowhere. */
  refuse(): void {
    if (this.#isOpen()) this.#state = 'closed';
    this.#arrived.length = 0;
    this.#wake();
  }

  breakOff(): void {
    if (this.#state === 'closed') return;
    this.#state = 'broken';
    this.#arrived.length = 0;
    this.#wake();
  }

  #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'closing';
  }

  #isBroken(): boolean {
    return this.#state === 'broken';
  }

  /** Runs `arrive` when a piece sent now gets there, unless the line breaks before. */
  #travel(arrive: () => void): void {
    const { clock, random, latencyMs = 10, cutChance = 0 } = this.#options;
    const cut = random.chance(cutChance);
    const dueMs = Math.max(this.#lastDueMs, clock.monotonicMs() + random.float() * latencyMs);
    this.#lastDueMs = dueMs;
    const piece = (): void => {
      if (cut) this.#line.cut();
      else if (this.#isOpen()) arrive();
    };
    this.#onTheWay.push(piece);
    // Two times that are equal here may differ by a rounding there: order is the queue's.
    const next = (): void => this.#onTheWay.shift()?.();
    clock.after(dueMs - clock.monotonicMs(), () => this.#line.land(next));
  }

  #arrive(frame: Uint8Array): void {
    this.#arrived.push(frame);
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

class End implements SecureChannel {
  readonly peer: string | null;
  readonly #incoming: Direction;
  readonly #outgoing: Direction;

  constructor(peer: string | null, incoming: Direction, outgoing: Direction) {
    this.peer = peer;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  frames(): AsyncIterable<Uint8Array> {
    return this.#incoming.frames();
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#outgoing.send(frame);
  }

  async close(): Promise<void> {
    this.#outgoing.close();
    this.#incoming.refuse();
  }
}

function unreachable(): WnError {
  return new WnError('unreachable', 'the connection was lost; what was received is kept', {
    hint: 'run the command again',
  });
}

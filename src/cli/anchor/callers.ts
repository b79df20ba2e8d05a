/**
 * Those who are connected to an anchor: each with what it may use up, which all
 * connections of one device share, and with a way to send it off.
 */
import type { DeviceId } from '../../core/ids.js';
import type { Clock } from '../../core/ports.js';
import { Bucket } from '../../sync/bucket.js';
import type { Toll } from '../../sync/shared.js';
import type { AnchorConfig } from './config.js';

export interface Caller {
  readonly device: DeviceId;
  readonly toll: Toll;
  readonly signal: AbortSignal;
  /** It stays to hear of news; nothing of it is under way for long. */
  following: boolean;
  readonly leave: () => void;
}

interface Allowance {
  readonly bytes: Bucket;
  readonly signatures: Bucket;
  users: number;
}

export class Callers {
  private readonly all = new Map<Caller, AbortController>();
  private readonly allowances = new Map<DeviceId, Allowance>();

  constructor(
    private readonly clock: Clock,
    private config: AnchorConfig,
  ) {}

  get size(): number {
    return this.all.size;
  }

  get following(): number {
    return [...this.all.keys()].filter((caller) => caller.following).length;
  }

  /** `heard` is told of every byte that comes. */
  enter(device: DeviceId, heard: (bytes: number) => void): Caller {
    const allowance = this.allowanceOf(device);
    allowance.users += 1;
    const controller = new AbortController();
    const caller: Caller = {
      device,
      signal: controller.signal,
      following: false,
      toll: {
        bytes: (count) => {
          heard(count);
          return allowance.bytes.take(count);
        },
        signatures: (count) => allowance.signatures.take(count),
      },
      leave: () => {
        if (!this.all.delete(caller)) return;
        allowance.users -= 1;
        this.forgetFull();
      },
    };
    this.all.set(caller, controller);
    return caller;
  }

  /** Ends the sessions of those of whom `who` is true; what they brought is kept. */
  sendOff(who: (caller: Caller) => boolean): void {
    for (const [caller, controller] of this.all) if (who(caller)) controller.abort();
  }

  change(config: AnchorConfig): void {
    this.config = config;
    for (const { bytes, signatures } of this.allowances.values()) {
      bytes.change(config.bytes);
      signatures.change(config.signatures);
    }
    this.sendOff(({ device }) => config.refuse.has(device));
  }

  private allowanceOf(device: DeviceId): Allowance {
    const known = this.allowances.get(device);
    if (known !== undefined) return known;
    const { bytes, signatures } = this.config;
    const made = {
      bytes: new Bucket(this.clock, bytes),
      signatures: new Bucket(this.clock, signatures),
      users: 0,
    };
    this.allowances.set(device, made);
    return made;
  }

  /** What a device has used up is remembered until it would have it all back. */
  private forgetFull(): void {
    for (const [device, { bytes, signatures, users }] of this.allowances) {
      if (users === 0 && bytes.isFull && signatures.isFull) this.allowances.delete(device);
    }
  }
}

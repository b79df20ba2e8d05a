/**
 * Records on their way into the ledger: entries are evaluated one behind the other, and
 * count once a certificate among them covers them. Nothing is changed until all are read,
 * so a refusal leaves no trace. Leaves out the files.
 */
import { concat, equalBytes } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { encodeRecord } from '../../core/frame.js';
import { certificateFault } from './certificate.js';
import { evaluate, type Evaluation } from './evaluate.js';
import { rootOf } from './merkle.js';
import { decodeLedgerRecord, type PlacedRecord } from './records.js';
import type { StrongState } from './state.js';
import type { Certificate, Configuration, Group } from './types.js';

export interface Evaluated {
  /** What it was evaluated on. */
  readonly before: StrongState;
  readonly evaluation: Evaluation;
  /** Where its record begins in the log. */
  readonly at: number;
}

export class Step {
  private readonly evaluated: Evaluated[] = [];
  private readonly frames: Uint8Array[] = [];
  /** What the last certificate covers: so many entries, so many frames. */
  private covered = { entries: 0, frames: 0 };
  private certificate: Certificate | null = null;
  private offset: number;
  private next: number;

  /**
   * `state`: of the ledger's head, whose log ends at `offset`; `after`: the entry that the
   * records follow.
   */
  constructor(
    private readonly group: Group,
    private readonly head: StrongState,
    offset: number,
    after: number,
  ) {
    this.offset = offset;
    this.next = after + 1;
  }

  /**
   * A record from elsewhere. Gives back a certificate of entries that the ledger holds, to
   * be compared with them. Throws `invalid`.
   */
  take(payload: Uint8Array): Certificate | null {
    const record = readPayload(payload);
    if (record.record === 'entry') {
      if (this.next <= this.head.index) this.next++;
      else this.entry(record, payload);
      return null;
    }
    const { certificate } = record;
    if (certificate.index <= this.head.index) return certificate;
    const fault = this.faultOf(certificate);
    if (fault !== null) throw refused(fault);
    this.cover(certificate, payload);
    return null;
  }

  /** A record of the log itself: its certificates were checked when they were taken in. */
  replay(record: PlacedRecord, payload: Uint8Array): boolean {
    if (record.record === 'entry') this.entry(record, payload);
    else if (!this.isRootOf(record.certificate)) return false;
    else this.cover(record.certificate, payload);
    return true;
  }

  /** Null while no certificate covers anything. */
  result(): {
    readonly certificate: Certificate;
    readonly evaluated: readonly Evaluated[];
    /** For the log, behind what is there. */
    readonly frames: Uint8Array;
  } | null {
    if (this.certificate === null) return null;
    return {
      certificate: this.certificate,
      evaluated: this.evaluated.slice(0, this.covered.entries),
      frames: concat(this.frames.slice(0, this.covered.frames)),
    };
  }

  private entry({ term, type, data }: EntryRecord, payload: Uint8Array): void {
    const before = this.state();
    if (term < before.term) throw refused('their terms go back');
    const evaluation = evaluate(before, { index: before.index + 1, term, type, data });
    this.evaluated.push({ before, evaluation, at: this.offset });
    this.frame(payload);
    this.next++;
  }

  private frame(payload: Uint8Array): void {
    const frame = encodeRecord(payload);
    this.frames.push(frame);
    this.offset += frame.byteLength;
  }

  private cover(certificate: Certificate, payload: Uint8Array): void {
    this.frame(payload);
    this.covered = { entries: this.evaluated.length, frames: this.frames.length };
    this.certificate = certificate;
  }

  private state(): StrongState {
    return this.evaluated.at(-1)?.evaluation.state ?? this.head;
  }

  private coveredState(): StrongState {
    return this.evaluated[this.covered.entries - 1]?.evaluation.state ?? this.head;
  }

  private isRootOf({ index, root }: Certificate): boolean {
    const state = this.state();
    return index === state.index && equalBytes(rootOf(state.tree), root);
  }

  private faultOf(certificate: Certificate): string | null {
    const state = this.state();
    if (certificate.index !== state.index) return 'a certificate is out of its place';
    if (certificate.term !== state.term) return 'a certificate is of another term than its entry';
    const configuration = this.configurationAbove();
    if (configuration === null) return 'a certificate skips a change of the configuration';
    const fault = certificateFault(this.group.id, configuration, certificate);
    if (fault !== null) return `a certificate does not hold (${fault})`;
    return this.isRootOf(certificate) ? null : 'the entries are not those of their certificate';
  }

  /**
   * The configuration of the last entry; null where more than one change lies between those
   * whose certificate was the last and those who would certify now.
   */
  private configurationAbove(): Configuration | null {
    const last = this.evaluated.at(-1);
    if (last === undefined) return null;
    const changes = last.before.configurations.length - this.coveredState().configurations.length;
    return changes > 1 ? null : last.before.configuration;
  }
}

type EntryRecord = Extract<PlacedRecord, { readonly record: 'entry' }>;

function readPayload(payload: Uint8Array): PlacedRecord {
  try {
    return decodeLedgerRecord(payload);
  } catch (error) {
    if (!(error instanceof WnError)) throw error;
    throw refused(error.message, error);
  }
}

/** Of records that no honest peer sends. */
export function refused(why: string, cause?: unknown): WnError {
  return new WnError('invalid', `Strong records were refused: ${why}. Nothing was changed.`, {
    hint: 'sync with another remote; this one may be damaged, or lie',
    cause,
  });
}

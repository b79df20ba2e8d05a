/**
 * Text documents of a repository: each op's base made explicit, documents kept open
 * while they are worked on, their merged text kept in the index. The merge itself is
 * `crdt/text`; a document typed on by one side at a time never loads it.
 */
import { utf8 } from '../../core/bytes.js';
import type { LogId, NodeId } from '../../core/ids.js';
import type { BaseRef, Op, Run } from '../../core/op.js';
import type { DiamondTypes } from '../../crdt/text/diamond.js';
import { TextDocument } from '../../crdt/text/document.js';
import { sameHeads, type Head, type TextOp } from '../../crdt/text/op.js';
import type { FullRuns } from '../../crdt/text/translate.js';
import type { History } from '../history.js';
import { key, type Tables } from '../index/tables.js';
import { touchesOf } from '../index/touches.js';
import type { DocumentHeads } from './node.js';
import { readOp, type Groups } from './ops.js';

type TextOpOf = Extract<Op, { op: 'text' }>;

const DOCUMENTS_OPEN_MAX = 64;
/** No log has this name: it sorts behind all others. */
const PREVIEW_LOG: LogId = 'f'.repeat(32);
const NO_HEADS: DocumentHeads = { heads: [], last: new Map(), whiteout: false };

export class Documents {
  private readonly open = new Map<NodeId, TextDocument>();
  /** Of each open document: which ops it has. */
  private readonly known = new Map<NodeId, DocumentHeads>();
  private readonly changed = new Set<NodeId>();

  constructor(
    private readonly tables: Tables,
    private readonly history: History,
    private readonly groups: Groups,
    private readonly diamondTypes: () => DiamondTypes,
  ) {}

  /**
   * Adds an op that stands at (log, seq, index) to its document and returns the heads
   * after it. Dead ops are added too: they anchor positions.
   */
  add(
    node: NodeId,
    before: DocumentHeads | null,
    op: TextOpOf,
    at: Head,
    live: boolean,
  ): DocumentHeads {
    const known = before ?? NO_HEADS;
    const base = this.baseOf(node, known, op.base, at.log);
    const document = this.document(node, known);
    document.add({ ...at, base, runs: op.runs, live, tombstones: op.tombstones });
    this.changed.add(node);
    const after = {
      heads: document.heads(),
      last: new Map(known.last).set(at.log, at),
      whiteout: known.whiteout || !live,
    };
    this.known.set(node, after);
    return after;
  }

  /** The live text. */
  text(node: NodeId, heads: DocumentHeads | null): string {
    if (heads === null) return '';
    if (!this.open.has(node) && !heads.whiteout) return this.snapshot(node);
    return this.document(node, heads).text();
  }

  /** The live text as it was at some heads of the document. */
  textAt(node: NodeId, heads: DocumentHeads | null, at: readonly Head[]): string {
    if (heads === null || at.length === 0) return '';
    return sameHeads(heads.heads, at)
      ? this.text(node, heads)
      : this.document(node, heads).textAt(at);
  }

  /** Runs typed on the live text at `at`, as an op must carry them. */
  fullRuns(
    node: NodeId,
    heads: DocumentHeads | null,
    at: readonly Head[],
    runs: readonly Run[],
  ): FullRuns {
    if (heads === null || !heads.whiteout) return { runs, tombstones: false };
    return this.document(node, heads).toFullRuns(at, runs);
  }

  /** The live text with an edit merged in that was typed on the text at `at`; changes nothing. */
  preview(
    node: NodeId,
    heads: DocumentHeads | null,
    at: readonly Head[],
    runs: readonly Run[],
  ): string {
    const known = heads ?? NO_HEADS;
    const full = this.fullRuns(node, heads, at, runs);
    const { diamondTypes } = this;
    const document = TextDocument.open({ history: () => this.ops(node, known), diamondTypes });
    try {
      document.add({ log: PREVIEW_LOG, seq: 0, index: 0, base: at, live: true, ...full });
      return document.text();
    } finally {
      document.free();
    }
  }

  /** Starts a document over: its ops will be added again, by liveness of now. */
  reset(node: NodeId): void {
    this.open.get(node)?.free();
    this.open.delete(node);
    this.known.delete(node);
    this.changed.delete(node);
    this.tables.remove(key.text(node));
  }

  /** Writes the texts that changed to the index's overlay. */
  save(): void {
    for (const node of this.changed) {
      const document = this.open.get(node);
      if (document !== undefined) this.tables.put(key.text(node), utf8(document.text()));
    }
    this.changed.clear();
    for (const [node, document] of this.open) {
      if (this.open.size <= DOCUMENTS_OPEN_MAX) break;
      document.free();
      this.open.delete(node);
      this.known.delete(node);
    }
  }

  /** Forgets open documents: another process may have changed them. */
  refresh(): void {
    for (const document of this.open.values()) document.free();
    this.open.clear();
    this.known.clear();
    this.changed.clear();
  }

  private snapshot(node: NodeId): string {
    const bytes = this.tables.get(key.text(node));
    return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
  }

  private document(node: NodeId, known: DocumentHeads): TextDocument {
    const open = this.open.get(node);
    if (open !== undefined) return open;
    this.known.set(node, known);
    const history = (): Iterable<TextOp> => this.ops(node, this.known.get(node) ?? known);
    const { diamondTypes } = this;
    const document = known.whiteout
      ? TextDocument.open({ history, diamondTypes })
      : TextDocument.open({
          snapshot: { text: this.snapshot(node), heads: known.heads },
          history,
          diamondTypes,
        });
    this.open.set(node, document);
    return document;
  }

  /** An op's base as heads of the document; refs to ops that don't bear on it are left out. */
  private baseOf(
    node: NodeId,
    known: DocumentHeads,
    base: readonly BaseRef[] | null,
    own: LogId,
  ): readonly Head[] {
    if (base === null) {
      const last = known.last.get(own);
      return last === undefined ? [] : [last];
    }
    const heads: Head[] = [];
    for (const ref of base) {
      const log = ref.log ?? own;
      const same = (head: Head | undefined): head is Head =>
        head !== undefined && head.log === log && head.seq === ref.seq;
      const head =
        known.heads.find(same) ?? [known.last.get(log)].find(same) ?? this.find(node, log, ref.seq);
      if (head !== null) heads.push(head);
    }
    return heads;
  }

  /** The last op on the document within the commit (log, seq). */
  private find(node: NodeId, log: LogId, seq: number): Head | null {
    const record = this.history.record({ log, seq });
    if (record === null || record.state === 'held') return null;
    for (let index = record.ops - 1; index >= 0; index--) {
      const op = readOp(this.history, this.groups, { log, seq }, index);
      if (op?.op === 'text' && op.node === node) return { log, seq, index };
    }
    return null;
  }

  /** Every op of the document up to `known`, in causal order (that of time), with its liveness. */
  *ops(node: NodeId, known: DocumentHeads): Iterable<TextOp> {
    const last = new Map<LogId, Head>();
    const byCommit = new Map<string, Head>();
    for (const { time, log: number, seq } of touchesOf(this.tables, node)) {
      const log = this.history.logOfNumber(number);
      const end = known.last.get(log);
      const record = this.history.record({ log, seq });
      if (end === undefined || record === null) continue;
      const index = Number(time - record.hlc);
      if (seq > end.seq || (seq === end.seq && index > end.index)) continue;
      const op = readOp(this.history, this.groups, { log, seq }, index);
      if (op?.op !== 'text') continue;
      const own = last.get(log);
      const base =
        op.base === null
          ? own === undefined
            ? []
            : [own]
          : op.base.flatMap((ref) => byCommit.get(`${ref.log ?? log}/${ref.seq}`) ?? []);
      const head = { log, seq, index };
      last.set(log, head);
      byCommit.set(`${log}/${seq}`, head);
      const live = record.state === 'live';
      yield { ...head, base, runs: op.runs, live, tombstones: op.tombstones };
    }
  }
}

/**
 * A replica together with its working directory: what `status`, `commit` and every
 * command that changes a worknode do. One lock covers scan and commit, or materialise;
 * it is never held across the network.
 */
import type { Commit } from '../core/commit.js';
import type { Signer } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import { MASS_CHANGE_NODES, MASS_CHANGE_SHARE } from '../core/limits.js';
import type { WorkDir } from '../core/ports.js';
import type { Draft } from '../repo/draft.js';
import type { Replica } from '../repo/replica.js';
import { packBase, unpackBase, type TreeEntry } from './entry.js';
import { withoutDoubtful } from './doubtful.js';
import { decodeText } from './eol.js';
import { invalidFields, invalidSchema, type Invalid } from './invalid.js';
import { materialise, type Materialised } from './materialise.js';
import { findMoves, type Moves } from './moves.js';
import { project, textAt } from './project.js';
import { record, type Recorded } from './record.js';
import { recoverIntents } from './recover.js';
import { isUnder, scan, type Refused, type Scan, type SkippedPatterns } from './scan.js';
import type { Schema } from './schema.js';
import { parseSchema } from './schema-text.js';
import { TreeState, type Changes } from './state.js';

export interface Change {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted' | 'moved';
  readonly from?: string;
}

export interface TreeStatus {
  readonly changes: readonly Change[];
  readonly refused: readonly Refused[];
  readonly ambiguous: readonly string[];
  /** Files whose fields can't be read or aren't what `wn.yaml` allows, and a broken one. */
  readonly invalid: readonly Invalid[];
  readonly skippedPatterns: readonly SkippedPatterns[];
  /** Of new files, those that a commit takes. */
  readonly files: number;
  readonly bytes: number;
}

export interface CommitOptions {
  readonly message: string | null;
  /** Only these paths and what is below them; everything if left out. */
  readonly under?: readonly string[];
  readonly force?: boolean;
  /** Nobody watches: a change of most of the tree stops. */
  readonly unattended?: boolean;
  readonly progress?: (files: number) => void;
}

export interface Committed {
  /** Null if there was nothing to do. */
  readonly commit: Commit | null;
  readonly ops: number;
  readonly refused: readonly Refused[];
  readonly materialised: Materialised | null;
}

const SCHEMA_PATH = 'wn.yaml';

export class WorkCopy {
  private state: TreeState | null = null;
  private schemaText: string | null = null;
  private parsedSchema: Schema = parseSchema('');

  constructor(
    readonly replica: Replica,
    readonly dir: WorkDir,
    private readonly signer: () => Promise<Signer>,
    private readonly lockTimeoutMs: number,
    /** Changes wait for `flushGroup`: many become durable together. */
    private readonly grouped = false,
  ) {}

  /** What was on disk when it was last in step. */
  async treeState(): Promise<TreeState> {
    if (this.state === null || (await this.state.isStale())) {
      const { history } = this.replica;
      this.state = await TreeState.load(
        this.replica.ports.storage,
        (id) => history.find(id) !== null,
      );
    }
    return this.state;
  }

  /** The types that `wn.yaml` declares. A broken one throws `invalid`, with line and column. */
  schema(): Schema {
    if (this.grouped && this.replica.inGroup && this.schemaText !== null) return this.parsedSchema;
    const bytes = this.dir.read(SCHEMA_PATH);
    const text = bytes === null ? '' : Buffer.from(bytes).toString('utf8');
    if (text !== this.schemaText) {
      this.parsedSchema = parseSchema(text);
      this.schemaText = text;
    }
    return this.parsedSchema;
  }

  private now(): number {
    return this.replica.ports.clock.wallMs();
  }

  /** Runs `work` under the lock, with everything that was left unfinished finished first. */
  async transact<T>(work: (state: TreeState, finished: Materialised) => Promise<T>): Promise<T> {
    await this.flushGroup();
    return this.replica.transact(() => this.settled(work), this.lockTimeoutMs);
  }

  private async settled<T>(
    work: (state: TreeState, finished: Materialised) => Promise<T>,
  ): Promise<T> {
    const state = await this.treeState();
    await state.heal();
    const schemaHash = hashOfSchema(state);
    await recoverIntents(this.materialiseInput(state));
    const result = await work(state, await this.materialise(state));
    if (hashOfSchema(state) !== schemaHash) await this.judgeAnew(state);
    await state.compact();
    return result;
  }

  /** Under another schema, notes anew which files have fields that it doesn't allow. */
  private async judgeAnew(state: TreeState): Promise<void> {
    const schema = this.schemaOrNone();
    const judged = judgeable(state, schema).map((entry) => {
      const invalid = invalidFields(this.dir, [entry.path], schema).length > 0;
      return invalid === entry.invalid ? entry : { ...entry, invalid };
    });
    const put = judged.filter((entry) => state.entries.get(entry.path) !== entry);
    await this.replica.flush(null, [state.record({ put, removed: [] }, null)]);
  }

  private materialiseInput(state: TreeState): Parameters<typeof materialise>[0] {
    const { replica, dir } = this;
    return { replica, dir, state, schema: this.schemaOrNone(), nowMs: () => this.now() };
  }

  /** A broken schema guides nothing, and stops nothing either. */
  private schemaOrNone(): Schema {
    try {
      return this.schema();
    } catch (error) {
      if (error instanceof WnError) return parseSchema('');
      throw error;
    }
  }

  private materialise(state: TreeState): Promise<Materialised> {
    return materialise(this.materialiseInput(state));
  }

  /** Brings the files in step with the view. */
  async bringInStep(): Promise<Materialised> {
    return this.transact((_state, finished) => Promise.resolve(finished));
  }

  /** Packs the record of the working directory. */
  async compact(): Promise<void> {
    await this.transact((state) => state.compact(true));
  }

  /** What differs from the last commit. Takes no lock, writes nothing. */
  async status(under?: readonly string[], progress?: (files: number) => void): Promise<TreeStatus> {
    const state = await this.treeState();
    const found = this.scan(state, under, progress);
    const moves = this.moves(found);
    const limited = withoutDoubtful(this.dir, found, moves);
    const files = limited.added.filter(({ type }) => type !== 'folder');
    return {
      changes: changesOf(limited, moves),
      refused: limited.refused,
      ambiguous: moves.ambiguous,
      invalid: this.invalid(state, limited, under),
      skippedPatterns: found.skippedPatterns,
      files: files.length,
      bytes: files.reduce((sum, { stat }) => sum + stat.size, 0),
    };
  }

  private invalid(
    state: TreeState,
    { added, modified, vanished }: Scan,
    under?: readonly string[],
  ): readonly Invalid[] {
    const broken = invalidSchema(SCHEMA_PATH, () => this.schema());
    const schema = this.schemaOrNone();
    const edited = [...added, ...modified].filter(({ type }) => type === 'file');
    const changed = new Set([...edited, ...vanished].map(({ path }) => path));
    // Under the schema that was committed it is noted which of the others are.
    const others = changed.has(SCHEMA_PATH)
      ? judgeable(state, schema).map(({ path }) => path)
      : state.entries.invalidPaths();
    const paths = others.filter((path) => isUnder(path, under));
    const all = [...edited.map(({ path }) => path), ...paths.filter((path) => !changed.has(path))];
    return [...broken, ...invalidFields(this.dir, all.sort(), schema)];
  }

  private scan(
    state: TreeState,
    under?: readonly string[],
    progress?: (files: number) => void,
  ): Scan {
    const options = { nowMs: this.now(), ...(under && { under }), ...(progress && { progress }) };
    return scan(this.dir, state, options);
  }

  private moves(found: Scan): Moves {
    if (found.added.length === 0 || found.vanished.length === 0) {
      return { moved: new Map(), ambiguous: [] };
    }
    return findMoves(found, {
      before: (entry) => this.textBefore(entry),
      now: (item) => {
        const bytes = this.dir.read(item.path);
        const decoded = bytes === null ? null : decodeText(bytes);
        return decoded?.ok === true ? decoded.text : null;
      },
    });
  }

  private textBefore(entry: TreeEntry): string | null {
    if (entry.base === null) return null;
    const base = unpackBase(entry.base);
    return project(textAt(this.replica, entry.node, base.heads), entry.path, base.fields).text;
  }

  /** Commits what changed on disk; durable when resolved. */
  async commit(options: CommitOptions): Promise<Committed> {
    return this.transact(async (state) => {
      const found = this.scan(state, options.under, options.progress);
      const moves = this.moves(found);
      const limited = options.force === true ? found : withoutDoubtful(this.dir, found, moves);
      this.stopMassChange(state, limited, moves, options);
      const draft = await this.replica.author.draft(options.message);
      const { replica, dir } = this;
      const input = { replica, dir, state, schema: this.schemaOrNone(), draft, nowMs: this.now() };
      const recorded = await record(input, limited, moves);
      const refused = [...limited.refused, ...recorded.refused];
      if (draft.size === 0) {
        await this.remember(state, recorded);
        return { commit: null, ops: 0, refused, materialised: await this.materialise(state) };
      }
      const { last, ops } = replica.author.commit(draft);
      await this.flushWith(state, this.rebased(recorded), last);
      const materialised = await this.materialise(state);
      return { commit: last, ops, refused, materialised };
    });
  }

  /** Commits a draft that isn't a scan's, and brings the files in step. */
  async change(
    message: string | null,
    fill: (draft: Draft) => void | Promise<void>,
  ): Promise<Committed> {
    if (this.grouped) return this.changeInGroup(message, fill);
    return this.transact(async (state) => {
      const draft = await this.replica.author.draft(message);
      await fill(draft);
      if (draft.size === 0) return { commit: null, ops: 0, refused: [], materialised: null };
      const { last, ops } = this.replica.author.commit(draft);
      await this.replica.flush(await this.signer());
      const materialised = await this.materialise(state);
      return { commit: last, ops, refused: [], materialised };
    });
  }

  private async changeInGroup(
    message: string | null,
    fill: (draft: Draft) => void | Promise<void>,
  ): Promise<Committed> {
    await this.replica.begin(this.lockTimeoutMs);
    const draft = await this.replica.author.draft(message);
    await fill(draft);
    if (draft.size === 0) return { commit: null, ops: 0, refused: [], materialised: null };
    const { last, ops } = this.replica.author.commit(draft);
    return { commit: last, ops, refused: [], materialised: null };
  }

  /** Makes the group's changes durable; more of them follow at once. */
  async syncGroup(): Promise<void> {
    if (!this.replica.inGroup) return;
    try {
      await this.replica.flush(await this.signer());
    } catch (error) {
      this.endGroup();
      throw error;
    }
  }

  private endGroup(): void {
    this.schemaText = null;
    this.replica.end();
  }

  /** Makes the group's changes durable, brings the files in step, and lets go of the lock. */
  async flushGroup(): Promise<void> {
    if (!this.replica.inGroup) return;
    try {
      await this.replica.flush(await this.signer());
      await this.settled(() => Promise.resolve());
    } finally {
      this.endGroup();
    }
  }

  /** Stamps that are worth remembering though nothing changed. */
  private async remember(state: TreeState, recorded: Recorded): Promise<void> {
    if (recorded.put.length === 0 && recorded.removed.length === 0) return;
    await this.replica.flush(null, [state.record(recorded, null)]);
  }

  private async flushWith(state: TreeState, changes: Changes, commit: Commit): Promise<void> {
    await this.replica.flush(await this.signer(), [state.record(changes, commit.id)]);
  }

  /** After the commit, a text's file holds what its author's own last op made. */
  private rebased(recorded: Recorded): Changes {
    const own = this.replica.author.writingLog();
    const put = recorded.put.map((entry) => {
      if (entry.base === null || !recorded.texts.has(entry.node)) return entry;
      const last = this.replica.view.record(entry.node).document?.last.get(own);
      if (last === undefined) return entry;
      return { ...entry, base: packBase({ ...unpackBase(entry.base), heads: [last] }) };
    });
    return { put, removed: recorded.removed };
  }

  private stopMassChange(
    state: TreeState,
    found: Scan,
    moves: Moves,
    options: CommitOptions,
  ): void {
    if (options.unattended !== true || options.force === true) return;
    const changed = found.modified.length + found.vanished.length - moves.moved.size;
    if (changed <= MASS_CHANGE_NODES || changed <= state.entries.size * MASS_CHANGE_SHARE) return;
    throw new WnError(
      'mass_change',
      `${changed} of ${state.entries.size} files changed or vanished`,
      {
        hint: 'nothing was committed; if that is meant, run: wn commit --force',
      },
    );
  }
}

function hashOfSchema({ entries }: TreeState): string | undefined {
  return entries.get(SCHEMA_PATH)?.hash;
}

/** Text files that a schema says something of, or that had something wrong. */
function judgeable({ entries }: TreeState, schema: Schema): readonly TreeEntry[] {
  return [...entries.values()].filter(
    ({ path, base, invalid }) => base !== null && (invalid || schema.typeOf(path) !== null),
  );
}

function changesOf(found: Scan, { moved }: Moves): readonly Change[] {
  const changes: Change[] = [];
  const sources = new Set([...moved.values()].map((entry) => entry.path));
  for (const item of found.added) {
    const from = moved.get(item.path);
    if (from === undefined) changes.push({ path: item.path, change: 'added' });
    else changes.push({ path: item.path, change: 'moved', from: from.path });
  }
  for (const { path } of found.modified) changes.push({ path, change: 'modified' });
  for (const { path } of found.vanished) {
    if (!sources.has(path)) changes.push({ path, change: 'deleted' });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The worknode at a path; throws `not_found`. */
export function nodeAt(replica: Replica, path: string): NodeId {
  if (path === '') return replica.root;
  const entry = replica.view.entry(path);
  if (entry !== null) return entry.node;
  throw new WnError('not_found', `nothing at ${path} in this workspace`, {
    hint: 'a new file is known once it is committed: wn commit',
  });
}

/**
 * Reading the folded state: worknodes by path, what shows among siblings, fields,
 * contents, the hash of it all. Nothing here changes anything.
 */
import { encodeCanonical, type Canonical } from '../core/canonical.js';
import { fromHex, toHex } from '../core/bytes.js';
import { frontierHash } from '../core/commit.js';
import { hash, hashHex } from '../core/crypto.js';
import { showId, type CommitId, type NodeId } from '../core/ids.js';
import { ATTRIBUTE, type NodeType } from '../core/op.js';
import { displayNames, type ShownSibling, type Sibling } from '../crdt/names.js';
import { shownAt, shownFields, type ShownField } from '../crdt/registry.js';
import type { Value } from '../crdt/value.js';
import { decodeBlobRef, type BlobRef, type Blobs } from './blobs.js';
import type { Fold } from './fold/fold.js';
import type { NodeRecord } from './fold/node.js';
import { ownsAny } from './fold/strong.js';
import type { History } from './history.js';
import { key, parseChild, type Tables } from './index/tables.js';

/** A worknode as it shows in its folder. */
export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly node: NodeId;
  readonly type: NodeType;
  /** All worknodes that show as this one: folders of one name, files of equal bytes. */
  readonly united: readonly NodeId[];
}

export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly ref: BlobRef }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder' };

export class View {
  private readonly listed = new Map<string, readonly ShownSibling[]>();
  /** Names of which there is one in their folder, by folder and name. */
  private readonly single = new Map<string, ShownSibling>();
  private shape = -1;

  constructor(
    private readonly tables: Tables,
    private readonly history: History,
    private readonly fold: Fold,
    private readonly blobs: Blobs,
    readonly root: NodeId,
  ) {}

  refresh(): void {
    this.listed.clear();
    this.single.clear();
  }

  /** What is remembered of folders is good until one changes. */
  private forgetOld(): void {
    if (this.shape === this.fold.shape) return;
    this.refresh();
    this.shape = this.fold.shape;
  }

  record(node: NodeId): NodeRecord {
    return this.fold.node(node);
  }

  typeOf(node: NodeId): NodeType {
    return node === this.root ? 'folder' : (this.fold.node(node).created?.type ?? 'file');
  }

  /** What shows in a folder, given all the worknodes that are united in it. */
  private list(united: readonly NodeId[]): readonly ShownSibling[] {
    this.forgetOld();
    const name = united.join();
    const known = this.listed.get(name);
    if (known !== undefined) return known;
    const siblings: Sibling[] = [];
    for (const folder of united) {
      for (const [at] of this.tables.prefix(key.children(folder)))
        siblings.push(this.sibling(parseChild(at).node));
    }
    const shown = displayNames(this.withContentKeys(siblings));
    this.listed.set(name, shown);
    return shown;
  }

  private sibling(node: NodeId): Sibling {
    const { created, placed, strong } = this.fold.node(node);
    return {
      node,
      fixed: strong !== null && ownsAny(strong),
      name: placed?.name ?? showId(node).slice(0, 10),
      type: created?.type ?? 'file',
      createdAt: created?.at ?? '',
      placedAt: placed?.at ?? '',
    };
  }

  /** Content matters only to files that share a name. */
  private withContentKeys(siblings: readonly Sibling[]): readonly Sibling[] {
    const counts = new Map<string, number>();
    for (const { name } of siblings) counts.set(name, (counts.get(name) ?? 0) + 1);
    return siblings.map((sibling) =>
      sibling.type === 'file' && (counts.get(sibling.name) ?? 0) > 1
        ? { ...sibling, contentKey: this.contentKey(sibling.node) }
        : sibling,
    );
  }

  /** Entries of a folder, in the order of names. Null if there is no such folder. */
  children(path: string): readonly Entry[] | null {
    const folder = path === '' ? [this.root] : this.foldersAt(path);
    return folder === null ? null : this.list(folder).map((shown) => entry(path, shown));
  }

  private foldersAt(path: string): readonly NodeId[] | null {
    const found = this.entry(path);
    return found === null || found.type !== 'folder' ? null : found.united;
  }

  /** What shows at a path; null if nothing does. The root is '' and has no entry. */
  entry(path: string): Entry | null {
    let folder: readonly NodeId[] = [this.root];
    let found: Entry | null = null;
    let parent = '';
    for (const part of path.split('/')) {
      if (found !== null && found.type !== 'folder') return null;
      const shown = this.named(folder, part);
      if (shown === undefined) return null;
      found = entry(parent, shown);
      folder = shown.united;
      parent = found.path;
    }
    return found;
  }

  /** One name among siblings, without listing them all where nothing is ambiguous. */
  private named(folder: readonly NodeId[], name: string): ShownSibling | undefined {
    this.forgetOld();
    const united = folder.join();
    if (this.listed.has(united) || name.includes('~')) {
      return this.list(folder).find((shown) => shown.name === name);
    }
    const known = this.single.get(`${united}/${name}`);
    if (known !== undefined) return known;
    const siblings: Sibling[] = [];
    for (const parent of folder) {
      for (const [at] of this.tables.prefix(key.childrenNamed(parent, name))) {
        siblings.push(this.sibling(parseChild(at).node));
      }
    }
    const found = displayNames(this.withContentKeys(siblings)).find((shown) => shown.name === name);
    if (siblings.length === 1 && found !== undefined) this.single.set(`${united}/${name}`, found);
    return found;
  }

  /** The worknodes that have a name in the folder shown at a path, shown there or with a suffix. */
  namedIn(path: string, name: string): readonly NodeId[] {
    const folder = path === '' ? [this.root] : (this.foldersAt(path) ?? []);
    this.forgetOld();
    const only = this.single.get(`${folder.join()}/${name}`);
    if (only !== undefined) return only.united;
    return folder.flatMap((parent) =>
      [...this.tables.prefix(key.childrenNamed(parent, name))].map(([at]) => parseChild(at).node),
    );
  }

  /** The entry that shows a worknode; null if it doesn't show. */
  entryOf(node: NodeId): Entry | null {
    if (node === this.root) return null;
    const { placed, shown } = this.fold.node(node);
    if (!shown || placed === null) return null;
    const above = placed.parent === this.root ? null : this.entryOf(placed.parent);
    if (above === null && placed.parent !== this.root) return null;
    const folder = above === null ? [this.root] : above.united;
    const simple = this.named(folder, placed.name);
    const sibling = simple?.united.includes(node)
      ? simple
      : this.list(folder).find((each) => each.united.includes(node));
    return sibling === undefined ? null : entry(above?.path ?? '', sibling);
  }

  pathOf(node: NodeId): string | null {
    return node === this.root ? '' : (this.entryOf(node)?.path ?? null);
  }

  /** Every entry below a folder, parents before children, names in order. */
  *walk(path = ''): Iterable<Entry> {
    for (const child of this.children(path) ?? []) {
      yield child;
      if (child.type === 'folder') yield* this.walk(child.path);
    }
  }

  /** The user's fields of a worknode, by name (nested ones by their path joined with dots). */
  fields(node: NodeId): ReadonlyMap<string, ShownField> {
    const fields = new Map<string, ShownField>();
    for (const field of shownFields(this.fold.node(node).fields)) {
      if (typeof field.path[0] === 'string') fields.set(field.path.join('.'), field);
    }
    return fields;
  }

  attribute(node: NodeId, attribute: number): Value | undefined {
    return shownAt(this.fold.node(node).fields, [attribute])?.value;
  }

  /** The text of a worknode's document; of one whose body the strong log set, that. */
  text(node: NodeId): string {
    const body = this.strongText(node);
    if (body !== null) return body;
    return this.fold.documents.text(node, this.fold.node(node).document);
  }

  /** The text that the strong log set as a file's body, or what replaced it since; null: it didn't. */
  strongText(node: NodeId): string | null {
    const { strong, created } = this.fold.node(node);
    if (strong === null || created?.type !== 'file') return null;
    const body = this.attribute(node, ATTRIBUTE.body);
    return typeof body === 'string' ? body : null;
  }

  /** What a worknode's file holds, before fields and line ends are put on it. */
  content(node: NodeId): Content {
    const type = this.typeOf(node);
    if (type === 'folder') return { kind: 'folder' };
    const body = this.attribute(node, ATTRIBUTE.body);
    if (type === 'file' && typeof body === 'string') return { kind: 'text', text: body };
    if (type === 'symlink') return { kind: 'link', target: typeof body === 'string' ? body : '' };
    if (this.attribute(node, ATTRIBUTE.format) !== 'whole' || body === undefined) {
      return { kind: 'text', text: this.text(node) };
    }
    if (body instanceof Uint8Array) return { kind: 'bytes', bytes: body };
    const ref = decodeBlobRef(body);
    return ref === null ? { kind: 'bytes', bytes: new Uint8Array() } : { kind: 'blob', ref };
  }

  /** Equal keys: the worknodes' files have equal bytes. */
  private contentKey(node: NodeId): string {
    return hashHex('wn/view/1', encodeCanonical([this.contentParts(node), this.fieldParts(node)]));
  }

  private contentParts(node: NodeId): Canonical {
    const content = this.content(node);
    switch (content.kind) {
      case 'text':
        return ['text', content.text];
      case 'bytes':
        return ['bytes', content.bytes];
      case 'blob':
        return ['blob', fromHex(content.ref.hash)];
      case 'link':
        return ['link', content.target];
      case 'folder':
        return ['folder'];
    }
  }

  private fieldParts(node: NodeId): Canonical {
    return shownFields(this.fold.node(node).fields)
      .filter(({ path, value }) => path[0] !== ATTRIBUTE.body && value !== undefined)
      .map(({ path, value }): Canonical => [path, value ?? null]);
  }

  /** Heads of the frontier, in byte order. */
  frontier(): readonly CommitId[] {
    return this.history
      .allLogs()
      .flatMap((log) => {
        if (log.folded < log.firstSeq) return [];
        return this.history.record({ log: this.history.logIdOf(log), seq: log.folded })?.id ?? [];
      })
      .sort();
  }

  /** Commits that are held and not folded: for want of time or past, or of a newer program. */
  waiting(): { readonly pending: number; readonly held: number } {
    let pending = 0;
    let held = 0;
    for (const log of this.history.allLogs()) {
      pending += log.stored.seq - log.folded;
      held += log.held;
    }
    return { pending, held };
  }

  conflictCount(): number {
    let count = 0;
    for (const _ of this.tables.prefix(key.table('conflict'))) count += 1;
    return count;
  }

  frontierHash(): string {
    return frontierHash(this.frontier());
  }

  /**
   * Hash of all that shows: equal frontiers and groups give equal hashes. Costs the size
   * of the tree.
   */
  hash(): string {
    const parts: Uint8Array[] = [];
    for (const shown of this.walk()) {
      const { path, node, type } = shown;
      const value = [path, fromHex(node), type, this.contentParts(node), this.fieldParts(node)];
      parts.push(hash('wn/view/1', encodeCanonical(value)));
    }
    return toHex(hash('wn/view/1', ...parts));
  }

  /** Whether all of a blob's chunks are here. */
  holdsBlob(ref: BlobRef): boolean {
    const chunks = this.blobs.chunksOf(ref);
    return chunks?.every((chunk) => this.blobs.holds(chunk)) ?? false;
  }

  /** The bytes of a blob; null while some of it is missing here. */
  blob(ref: BlobRef): Uint8Array | null {
    return this.blobs.load(ref);
  }

  /** The same in pieces; throws `damage`, also behind the last of them. */
  blobPieces(ref: BlobRef): Iterable<Uint8Array> {
    return this.blobs.pieces(ref);
  }
}

function entry(parent: string, { name, node, type, united }: ShownSibling): Entry {
  return { path: parent === '' ? name : `${parent}/${name}`, name, node, type, united };
}

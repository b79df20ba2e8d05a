/** A worknode as `--json` tells it. */
import { WnError } from '../core/errors.js';
import type { Stamp } from '../core/hlc.js';
import { showId, type NodeId } from '../core/ids.js';
import { ATTRIBUTE, type NodeType } from '../core/op.js';
import type { Folded } from '../repo/past.js';
import type { Replica } from '../repo/replica.js';
import { fromValue, toJson } from '../tree/field.js';
import { bodyText, fileOf } from '../tree/file.js';
import { lastPath } from '../tree/lastpath.js';
import { joinPath } from '../tree/names.js';
import { Schema } from '../tree/schema.js';
import type { WorkCopy } from '../tree/workcopy.js';
import { authorship, type Authorship } from './authorship.js';

export interface WorknodeShown extends Partial<Authorship> {
  readonly id: string;
  /** Where it shows, or where it was last. */
  readonly path: string;
  readonly type: NodeType;
  /** The type of `wn.yaml` that matches the path. */
  readonly declared: string | null;
  /** By name; of a folder those of its README.md. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The text below the front matter; null for folders and what isn't text. */
  readonly body: string | null;
  readonly created: Authorship | null;
  /** Only where it is hidden: deleted, or not yet made at that revision. */
  readonly deleted?: true;
  /** It has overlaps that nobody has resolved. */
  readonly conflict?: true;
  readonly size?: number;
  readonly hash?: string;
  readonly executable?: true;
  /** Part of its content isn't here. */
  readonly missing?: true;
  /** How many entries a folder shows. */
  readonly children?: number;
}

/** The worknode as `folded` has it; names of authors are today's. */
export function worknodeShown(
  replica: Replica,
  folded: Folded,
  node: NodeId,
  schema: Schema,
): WorknodeShown {
  const { view } = folded;
  const shownAt = view.pathOf(node);
  const path = shownAt ?? lastPath(view, node);
  const record = view.record(node);
  const type = view.typeOf(node);
  const by = (at: Stamp): Authorship => authorship(replica, at);
  return {
    id: showId(node),
    path,
    type,
    declared: schema.typeOf(path)?.name ?? null,
    ...(type === 'folder' ? folderFacts(folded, path) : fileFacts(folded, node, path)),
    ...(record.updated !== null && by(record.updated)),
    created: record.created === null ? null : by(record.created.at),
    ...(shownAt === null && { deleted: true as const }),
    ...(record.conflict && { conflict: true as const }),
  };
}

type Facts = Pick<
  WorknodeShown,
  'fields' | 'body' | 'size' | 'hash' | 'executable' | 'missing' | 'children'
>;

function folderFacts(folded: Folded, path: string): Facts {
  const readme = folded.view.entry(joinPath(path, 'README.md'));
  return {
    fields: readme === null ? {} : fieldsJson(folded, readme.node),
    body: null,
    children: folded.view.children(path)?.length ?? 0,
  };
}

function fileFacts(folded: Folded, node: NodeId, path: string): Facts {
  const file = fileOf(folded, node, path);
  const executable = folded.view.attribute(node, ATTRIBUTE.executable) === true;
  return {
    fields: fieldsJson(folded, node),
    body: file?.text == null ? null : bodyText(path, file.text),
    ...(file !== null && { size: file.size, hash: file.hash }),
    ...(executable && { executable }),
    ...(file?.missing === true && { missing: true }),
  };
}

/** For reading: a broken `wn.yaml` declares nothing, and hides nothing. */
export function schemaForReading(work: WorkCopy): Schema {
  try {
    return work.schema();
  } catch (error) {
    if (error instanceof WnError) return new Schema([]);
    throw error;
  }
}

/** Fields that hold a value, nested ones by their path. */
export function fieldsJson({ view }: Folded, node: NodeId): Record<string, unknown> {
  const fields: [string, unknown][] = [];
  for (const [name, { value }] of view.fields(node)) {
    if (value !== undefined) fields.push([name, toJson(fromValue(value))]);
  }
  return Object.fromEntries(fields);
}

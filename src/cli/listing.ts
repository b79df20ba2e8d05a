/** What `wn list` asks a query of: worknodes, of which only what it looks at is computed. */
import { showHlc, stampTime } from '../core/hlc.js';
import { showId } from '../core/ids.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { fromValue, type FieldValue } from '../tree/field.js';
import { bodyText, fileOf } from '../tree/file.js';
import type { QueryItem } from '../tree/query.js';
import { isBlocked, isReady } from '../tree/readiness.js';
import type { Schema } from '../tree/schema.js';

export class ListedItem implements QueryItem {
  #fields: ReadonlyMap<string, FieldValue> | undefined;

  constructor(
    private readonly replica: Replica,
    private readonly schema: Schema,
    readonly entry: Entry,
  ) {}

  get path(): string {
    return this.entry.path;
  }

  get name(): string {
    return this.entry.name;
  }

  get id(): string {
    return showId(this.entry.node);
  }

  get type(): string | null {
    return this.schema.typeOf(this.path)?.name ?? null;
  }

  get fields(): ReadonlyMap<string, FieldValue> {
    this.#fields ??= fieldValues(this.replica, this.entry);
    return this.#fields;
  }

  text(): string {
    return this.body() ?? '';
  }

  /** Null for what isn't text. */
  body(): string | null {
    const text = fileOf(this.replica, this.entry.node, this.path)?.text ?? null;
    return text === null ? null : bodyText(this.path, text);
  }

  get ready(): boolean {
    return isReady(this.replica.view, this.schema, this.entry.node, this.path);
  }

  get blocked(): boolean {
    return isBlocked(this.replica.view, this.schema, this.entry.node, this.path);
  }

  get conflicted(): boolean {
    return this.replica.view.record(this.entry.node).conflict;
  }

  /** A field, or `path`, `name`, `id`, `type`, `created`, `updated`; null where there is none. */
  sortValue(name: string): FieldValue {
    const own = this.fields.get(name);
    if (own !== undefined) return own;
    const { created, updated } = this.replica.view.record(this.entry.node);
    switch (name) {
      case 'path':
      case 'name':
      case 'id':
      case 'type':
        return this[name];
      case 'created':
        return created === null ? null : showHlc(stampTime(created.at));
      case 'updated':
        return updated === null ? null : showHlc(stampTime(updated));
      default:
        return null;
    }
  }
}

function fieldValues({ view }: Replica, { node }: Entry): ReadonlyMap<string, FieldValue> {
  const fields = new Map<string, FieldValue>();
  for (const [name, { value }] of view.fields(node)) {
    if (value !== undefined) fields.set(name, fromValue(value));
  }
  return fields;
}

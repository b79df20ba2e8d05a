/** Lists files, all or those that a query holds of. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { ListedItem } from '../cli/listing.js';
import type { TextOutput } from '../cli/output.js';
import { pageFlags, pageOf, type Page } from '../cli/paging.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { schemaForReading } from '../cli/worknode.js';
import type { Entry } from '../repo/view.js';
import { compareValues, isList, toJson, type FieldValue } from '../tree/field.js';
import { matches, parseQuery } from '../tree/query.js';

interface ListItem {
  readonly id: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** With `--fields body`; null for what isn't text. */
  readonly body?: string | null;
}

type ListResult = Page<ListItem>;

export default class List extends WnCommand<typeof List, ListResult> {
  static override readonly summary = 'List files, all or those that a query asks for';
  static override readonly description =
    'A query compares fields: status=todo, labels~ci, due<7d, with and, or, not and parentheses; ' +
    '"text" in quotes looks into names and bodies. ready: its status is the first that wn.yaml ' +
    'declares (todo, where it declares none) and all that blocked_by names is done; blocked: some ' +
    'of that is not; conflicted: has overlaps. A first word that is a path is one.';
  static override readonly args = {
    query: Args.string({
      multiple: true,
      description: 'A folder, then a query; the words of a query may be several arguments.',
    }),
  };
  static override readonly flags = {
    sort: Flags.string({
      default: 'path',
      helpValue: 'FIELD',
      description: 'By a field, or path, name, created, updated; those without it come last.',
    }),
    reverse: Flags.boolean({ description: 'The greatest first.' }),
    ...pageFlags,
    fields: Flags.string({
      helpValue: 'F,…',
      description: 'Only these fields; body adds the text.',
    }),
  };
  static override readonly examples = [
    'wn list tasks/ status=todo and labels~ci',
    'wn list ready --sort due --limit 5',
    `wn list '"backup" and not status=done' --fields status,body --json`,
  ];
  static override readonly result = '{items: [{id, path, fields, body?}], total, next}';
  static override readonly paged = true;

  protected async execute(): Promise<ListResult> {
    const repository = await openRepository(this.context);
    const { sort, reverse, limit, after, fields } = this.flags;
    const found = this.find(repository);
    const keyed = found.map((item) => ({ item, key: keyOf(item, sort) }));
    const compare = (a: Key, b: Key): number => compareKeys(a, b, reverse ? -1 : 1);
    keyed.sort((a, b) => compare(a.key, b.key));
    const page = pageOf(keyed, ({ key }) => key, compare, isKey, { limit, after });
    const names = fields?.split(',').map((name) => name.trim());
    return { ...page, items: page.items.map(({ item }) => listItem(item, names)) };
  }

  private find(repository: Repository): readonly ListedItem[] {
    const { replica, work } = repository;
    const words = this.args.query ?? [];
    const top = words[0] === undefined ? null : topAt(repository, words[0]);
    const queryText = (top === null ? words : words.slice(1)).join(' ').trim();
    const query = queryText === '' ? null : parseQuery(queryText);
    const schema = schemaForReading(work);
    const nowMs = this.context.clock.wallMs();
    const found: ListedItem[] = [];
    for (const entry of entriesBelow(repository, top ?? '')) {
      const item = new ListedItem(replica, schema, entry);
      if (query === null || matches(query, item, nowMs)) found.push(item);
    }
    return found;
  }

  protected render({ items, total, next }: ListResult, out: TextOutput): void {
    const { style } = out;
    out.table(items.map(({ path, fields }) => [path, style.dim(fieldsText(fields))]));
    for (const { path, body } of items) {
      if (body == null) continue;
      out.line`${style.bold(path)}`;
      out.block(body);
    }
    if (items.length === 0) out.line('nothing found');
    else if (next !== null)
      out.line`${style.dim(`${items.length} of ${total}; more: --after ${next}`)}`;
  }
}

/** The path that a word is, if something shows there; null for the beginning of a query. */
function topAt(repository: Repository, word: string): string | null {
  const path = repository.path(word);
  return path === '' || repository.replica.view.entry(path) !== null ? path : null;
}

function* entriesBelow({ replica }: Repository, top: string): Iterable<Entry> {
  const entry = top === '' ? null : replica.view.entry(top);
  if (entry !== null && entry.type !== 'folder') yield entry;
  else for (const below of replica.view.walk(top)) if (below.type !== 'folder') yield below;
}

function listItem(item: ListedItem, names: readonly string[] | undefined): ListItem {
  const shown = [...item.fields].filter(([name]) => names === undefined || names.includes(name));
  return {
    id: item.id,
    path: item.path,
    fields: Object.fromEntries(shown.map(([name, value]) => [name, toJson(value)])),
    ...(names?.includes('body') === true && { body: item.body() }),
  };
}

/** `missing` puts items without the field last, whichever way they are sorted. */
type Key = readonly [missing: boolean, value: FieldValue, path: string];

function keyOf(item: ListedItem, sort: string): Key {
  const value = item.sortValue(sort);
  return [value === null, value, item.path];
}

function compareKeys(a: Key, b: Key, sign: 1 | -1): number {
  if (a[0] !== b[0]) return a[0] ? 1 : -1;
  return sign * compareValues(a[1], b[1]) || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
}

function isKey(value: unknown): value is Key {
  return Array.isArray(value) && value.length === 3 && typeof value[2] === 'string';
}

const VALUE_CHARS_MAX = 40;

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${shorten(valueText(value))}`)
    .join(' ');
}

function valueText(value: unknown): string {
  if (isList(value as FieldValue)) return (value as readonly unknown[]).map(valueText).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= VALUE_CHARS_MAX
    ? text
    : `${characters.slice(0, VALUE_CHARS_MAX - 1).join('')}…`;
}

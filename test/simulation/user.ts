/**
 * A user at random: edits files with an editor, a file manager and `wn` itself, in all
 * the ways that merging has to cope with. Works on what stands on the device's disk and
 * tells the ledger what was typed and what was taken away.
 */
import { baseName } from '../../src/tree/names.js';
import { createWorknode, moveWorknode, removeWorknode, setFields } from '../../src/tree/edit.js';
import { WnError } from '../../src/core/errors.js';
import type { Node } from '../sim/files.js';
import type { Seeded } from '../sim/random.js';
import type { Device } from './device.js';
import type { Ledger } from './ledger.js';

const FILE_NAMES = [
  'a.md',
  'b.md',
  'note.txt',
  'plan.md',
  'README.md',
  'ü ñ.md',
  '空.txt',
  '😀.md',
];
const FOLDER_NAMES = ['x', 'y', 'z', 'tâche'];
const WHOLE_NAMES = ['data.json', 'deps.lock', 'picture.bin'];
const WORDS = [
  'plain',
  'wörter',
  '漢字かな',
  '👩‍👩‍👧 family',
  '🇩🇪🇫🇷',
  'e\u0301te',
  '\u200b',
  'tab\there',
  'x',
];
const KEYS = ['status', 'owner', 'due', 'title'];
const VALUES = ['todo', 'doing', '3', 'true', '2026-01-01', "'quoted: yes'", '[a, b]', '日本'];
const BOM = '\ufeff';

export interface Item {
  readonly path: string;
  readonly node: Node;
}

export interface UserWish {
  /** Nothing but text: no moves, deletes, fields or binary files. */
  readonly textOnly?: boolean;
}

export class User {
  private readonly random: Seeded;

  constructor(
    private readonly device: Device,
    private readonly ledger: Ledger,
    private readonly wish: UserWish = {},
  ) {
    this.random = device.random.fork();
  }

  /** One thing that a person does; returns what, for the story of a failed history. */
  async act(): Promise<string> {
    return this.oneOf(this.wish.textOnly === true ? TEXT_ACTIONS : ALL_ACTIONS);
  }

  /** The same without `wn`: what a person does while it doesn't run. */
  async edit(): Promise<string> {
    return this.oneOf(ALL_ACTIONS.filter(([, name]) => !name.startsWith('wn')));
  }

  private async oneOf(
    actions: readonly (readonly [weight: number, name: Action])[],
  ): Promise<string> {
    const total = actions.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.random.int(1, total);
    for (const [weight, name] of actions) {
      left -= weight;
      if (left <= 0) return (await this[name]()) ?? `nothing (${name})`;
    }
    return 'nothing';
  }

  // Looking around

  private items(kind: 'file' | 'folder'): Item[] {
    return itemsBelow(this.device.files.find(''), '').filter(({ node }) => node.kind === kind);
  }

  private someFile(wanted: (item: Item) => boolean = () => true): Item | null {
    const files = this.items('file').filter(wanted);
    return files.length === 0 ? null : this.random.pick(files);
  }

  private someFolder(): string {
    return this.random.pick(['', ...this.items('folder').map(({ path }) => path)]);
  }

  private freePath(names: readonly string[]): string | null {
    const folder = this.someFolder();
    const name = this.random.pick(names);
    const path = folder === '' ? name : `${folder}/${name}`;
    return this.device.files.find(path) === null ? path : null;
  }

  // Writing

  private line(): string {
    const words = Array.from({ length: this.random.int(0, 3) }, () => this.random.pick(WORDS));
    return [this.ledger.freshLine(), ...words].join(' ');
  }

  private lines(max: number): string[] {
    return Array.from({ length: this.random.int(1, max) }, () => this.line());
  }

  /** As an editor saves: in place, or by a new file that takes the name. */
  private save(path: string, text: string): void {
    const { files } = this.device;
    this.ledger.replaced(files.text(path) ?? '', text);
    if (this.random.bool()) files.save(path, text);
    else files.overwrite(path, text);
  }

  newFile(): string | undefined {
    const path = this.freePath(FILE_NAMES);
    if (path === null) return undefined;
    if (this.random.chance(0.1)) {
      this.save(path, '');
      return `new empty ${path}`;
    }
    const newline = this.random.chance(0.15) ? '\r\n' : '\n';
    let lines = this.lines(4);
    if (path.endsWith('.md') && this.random.chance(0.4)) lines = [...this.frontMatter(), ...lines];
    const end = this.random.chance(0.8) ? newline : '';
    this.save(path, (this.random.chance(0.1) ? BOM : '') + lines.join(newline) + end);
    return `new ${path}`;
  }

  private frontMatter(): string[] {
    const keys = KEYS.filter(() => this.random.bool());
    return ['---', ...keys.map((key) => `${key}: ${this.random.pick(VALUES)}`), '---'];
  }

  /** Puts lines in, takes lines out, changes words; keeps the line ends that the file has. */
  editText(): string | undefined {
    const file = this.someFile(isText);
    if (file === null) return undefined;
    const before = this.device.files.text(file.path) ?? '';
    const newline = before.includes('\r\n') ? '\r\n' : '\n';
    const lines = before.split(newline);
    for (let count = this.random.int(1, 3); count > 0; count--) this.changeLine(lines);
    this.save(file.path, lines.join(newline));
    return `edited ${file.path}`;
  }

  private changeLine(lines: string[]): void {
    const front = lines[0] === '---' ? lines.indexOf('---', 1) + 1 : 0;
    const at = this.random.int(front, lines.length - 1);
    const kind = this.random.float();
    if (kind < 0.5) lines.splice(this.random.int(front, lines.length), 0, this.line());
    else if (kind < 0.7 && lines.length - front > 1) lines.splice(at, 1);
    else if (kind < 0.8) lines[at] = this.line();
    else if (lines[at] !== undefined && lines[at] !== BOM)
      lines[at] += ` ${this.random.pick(WORDS)}`;
  }

  /** Changes the file's form only: line ends, byte order mark, the newline at its end. */
  changeForm(): string | undefined {
    const file = this.someFile(isText);
    if (file === null) return undefined;
    const before = this.device.files.text(file.path) ?? '';
    const kind = this.random.int(0, 2);
    const after =
      kind === 0
        ? before.includes('\r\n')
          ? before.replaceAll('\r\n', '\n')
          : before.replaceAll('\n', '\r\n')
        : kind === 1
          ? before.startsWith(BOM)
            ? before.slice(1)
            : BOM + before
          : before.endsWith('\n')
            ? before.trimEnd()
            : `${before}\n`;
    this.save(file.path, after);
    return `changed the form of ${file.path}`;
  }

  editField(): string | undefined {
    const file = this.someFile(({ path, node }) => path.endsWith('.md') && isText({ path, node }));
    if (file === null) return undefined;
    const before = this.device.files.text(file.path) ?? '';
    const newline = before.includes('\r\n') ? '\r\n' : '\n';
    const lines = before.split(newline);
    if (lines[0] !== '---') lines.unshift(...this.frontMatter());
    else this.changeField(lines);
    this.save(file.path, lines.join(newline));
    return `edited a field of ${file.path}`;
  }

  private changeField(lines: string[]): void {
    const end = lines.indexOf('---', 1);
    if (end < 0) return;
    const key = this.random.pick(KEYS);
    const at = lines.slice(0, end).findIndex((line) => line.startsWith(`${key}:`));
    const line = `${key}: ${this.random.pick(VALUES)}`;
    if (at < 0) lines.splice(end, 0, line);
    else if (this.random.chance(0.3)) lines.splice(at, 1);
    else lines[at] = line;
  }

  /** Lock files, notebooks, pictures: what merges as a whole. */
  writeWhole(): string | undefined {
    const existing = this.someFile((item) => WHOLE_NAMES.includes(baseName(item.path)));
    const path =
      this.random.bool() && existing !== null ? existing.path : this.freePath(WHOLE_NAMES);
    if (path === null) return undefined;
    const padding = this.random.chance(0.1) ? 'padding '.repeat(3_000) : '';
    const zero = path.endsWith('.bin') ? '\0' : '';
    this.save(path, `{"is": "${this.ledger.fresh()}"}${zero}${padding}`);
    return `wrote ${path} whole`;
  }

  emptied(): string | undefined {
    const file = this.someFile();
    if (file === null) return undefined;
    this.save(file.path, '');
    return `emptied ${file.path}`;
  }

  chmod(): string | undefined {
    const file = this.someFile();
    if (file === null) return undefined;
    this.device.files.chmod(file.path, !file.node.executable);
    return `chmod ${file.path}`;
  }

  // Moving about

  makeFolder(): string | undefined {
    const path = this.freePath(FOLDER_NAMES);
    if (path === null) return undefined;
    this.device.files.mkdir(path);
    return `mkdir ${path}`;
  }

  moveFile(): string | undefined {
    const file = this.someFile();
    const to = this.freePath(
      file === null ? FILE_NAMES : [baseName(file.path), ...sameKind(file.path)],
    );
    if (file === null || to === null) return undefined;
    this.device.files.move(file.path, to);
    if (this.random.chance(0.3) && isText(file)) {
      const text = this.device.files.text(to) ?? '';
      this.save(to, `${text}${text.endsWith('\n') || text === '' ? '' : '\n'}${this.line()}\n`);
      return `moved ${file.path} to ${to} and edited it`;
    }
    return `moved ${file.path} to ${to}`;
  }

  moveFolder(): string | undefined {
    const folders = this.items('folder');
    if (folders.length === 0) return undefined;
    const { path: from } = this.random.pick(folders);
    const to = this.freePath([baseName(from), ...FOLDER_NAMES]);
    if (to === null || `${to}/`.startsWith(`${from}/`)) return undefined;
    this.device.files.move(from, to);
    return `moved ${from}/ to ${to}/`;
  }

  swapNames(): string | undefined {
    const [a, b] = [this.someFile(isText), this.someFile(isText)];
    if (a === null || b === null || a.path === b.path) return undefined;
    const { files } = this.device;
    // An existing path keeps its worknode: the texts change places, and may do so twice.
    for (const { path } of [a, b]) this.ledger.copied(files.text(path) ?? '');
    const between = '.swap';
    files.move(a.path, between);
    files.move(b.path, a.path);
    files.move(between, b.path);
    return `swapped ${a.path} and ${b.path}`;
  }

  copyFile(): string | undefined {
    const file = this.someFile(isText);
    const to = this.freePath(FILE_NAMES);
    if (file === null || to === null) return undefined;
    this.device.files.save(to, file.node.content.bytes);
    return `copied ${file.path} to ${to}`;
  }

  // Taking away

  removeFile(): string | undefined {
    const file = this.someFile();
    if (file === null) return undefined;
    this.gone(file.path);
    this.device.files.rm(file.path);
    return `rm ${file.path}`;
  }

  removeFolder(): string | undefined {
    const folders = this.items('folder');
    if (folders.length === 0) return undefined;
    const { path } = this.random.pick(folders);
    this.gone(path);
    this.device.files.rm(path);
    return `rm -r ${path}/`;
  }

  fileToFolder(): string | undefined {
    const file = this.someFile();
    if (file === null) return undefined;
    this.gone(file.path);
    this.device.files.rm(file.path);
    this.device.files.mkdir(file.path);
    if (this.random.bool()) this.save(`${file.path}/in.md`, `${this.line()}\n`);
    return `${file.path} became a folder`;
  }

  folderToFile(): string | undefined {
    const folders = this.items('folder');
    if (folders.length === 0) return undefined;
    const { path } = this.random.pick(folders);
    this.gone(path);
    this.device.files.rm(path);
    this.save(path, `${this.line()}\n`);
    return `${path}/ became a file`;
  }

  private gone(path: string): void {
    const node = this.device.files.find(path);
    for (const item of node === null ? [] : [{ path, node }, ...itemsBelow(node, path)]) {
      this.ledger.replaced(textOf(item), '');
    }
  }

  // wn's own commands; what they refuse, the user takes as an answer

  async wnSet(): Promise<string | undefined> {
    const file = this.someFile(({ path }) => path.endsWith('.md'));
    if (file === null) return undefined;
    const assignments = [
      `${this.random.pick(KEYS)}=${this.random.pick(['todo', 'done', '7', ''])}`,
    ];
    return this.wn(`wn set ${file.path} ${assignments.join()}`, () =>
      setFields(this.device.work, { path: file.path, assignments, message: null }),
    );
  }

  async wnMove(): Promise<string | undefined> {
    const items = [...this.items('file'), ...this.items('folder')];
    if (items.length === 0) return undefined;
    const { path: from } = this.random.pick(items);
    const to = this.freePath([baseName(from)]);
    if (to === null) return undefined;
    return this.wn(`wn mv ${from} ${to}`, () =>
      moveWorknode(this.device.work, { from, to, message: null }),
    );
  }

  async wnRemove(): Promise<string | undefined> {
    const items = [...this.items('file'), ...this.items('folder')];
    if (items.length === 0) return undefined;
    const { path } = this.random.pick(items);
    this.gone(path);
    return this.wn(`wn rm ${path}`, () =>
      removeWorknode(this.device.work, { path, force: false, message: null }),
    );
  }

  async wnNew(): Promise<string | undefined> {
    const path = this.freePath(FILE_NAMES);
    if (path === null) return undefined;
    const body = this.line();
    const wish = {
      path,
      folder: false,
      type: null,
      assignments: ['owner=ann'],
      body,
      message: null,
    };
    if (!path.endsWith('.md')) wish.assignments = [];
    return this.wn(`wn new ${path}`, async () => {
      await createWorknode(this.device.work, wish);
      this.ledger.replaced('', body);
    });
  }

  private async wn(command: string, run: () => Promise<unknown>): Promise<string> {
    try {
      await run();
      return command;
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      return `${command}: ${error.message}`;
    }
  }
}

type Action = Exclude<keyof User, 'act' | 'edit'>;

const TEXT_ACTIONS: readonly (readonly [weight: number, name: Action])[] = [
  [1, 'newFile'],
  [6, 'editText'],
];

const ALL_ACTIONS: readonly (readonly [weight: number, name: Action])[] = [
  [8, 'newFile'],
  [14, 'editText'],
  [2, 'changeForm'],
  [5, 'editField'],
  [3, 'writeWhole'],
  [1, 'emptied'],
  [2, 'chmod'],
  [3, 'makeFolder'],
  [5, 'moveFile'],
  [5, 'moveFolder'],
  [1, 'swapNames'],
  [1, 'copyFile'],
  [3, 'removeFile'],
  [2, 'removeFolder'],
  [1, 'fileToFolder'],
  [1, 'folderToFile'],
  [3, 'wnSet'],
  [2, 'wnMove'],
  [2, 'wnRemove'],
  [2, 'wnNew'],
];

/** Files of one kind of content stay so: what a `.json` was, no `.md` becomes by a move. */
function sameKind(path: string): readonly string[] {
  return WHOLE_NAMES.includes(baseName(path)) ? [] : FILE_NAMES;
}

export function isText({ path, node }: Item): boolean {
  return (
    node.kind === 'file' && !WHOLE_NAMES.some((name) => baseName(path).startsWith(name.slice(0, 4)))
  );
}

export function textOf({ node }: Item): string {
  return node.kind === 'file' ? Buffer.from(node.content.bytes).toString('utf8') : '';
}

/** Everything below a folder, folders before what is in them. */
export function itemsBelow(folder: Node | null, prefix: string): Item[] {
  return [...(folder?.children.values() ?? [])].flatMap(({ name, node }) => {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    return [{ path, node }, ...(node.kind === 'folder' ? itemsBelow(node, path) : [])];
  });
}

/**
 * Two real repositories of one workspace, each other's neighbours on one disk, and what
 * people do to their files between two commands of the built `wn`: the ground of
 * `kill.ts`. Every line that is typed begins with a token that no other line has.
 */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { repositoryAt } from '../../src/cli/location.js';
import { portsOf } from '../../src/cli/repository.js';
import type { CommitId } from '../../src/core/ids.js';
import { fsck } from '../../src/repo/care.js';
import { Replica } from '../../src/repo/replica.js';
import { discard, scratch, twoDevices, type Device } from '../product/device.js';
import type { Seeded } from '../sim/random.js';

const SMALL_FILES_MAX = 120;
const BIG_FILE_BYTES_MAX = 4 * 1024 * 1024;
const OWN = /^(\.wn$|\.wn-tmp-)/;
const TOKEN = /§\d+/g;

/** A file by its path: a hash of its bytes, and its tokens. */
export type Tree = ReadonlyMap<
  string,
  { readonly hash: string; readonly tokens: readonly string[] }
>;

export interface Held {
  readonly commits: ReadonlySet<CommitId>;
  readonly problems: readonly unknown[];
}

export class Field {
  private tokens = 0;

  private constructor(
    private readonly folder: string,
    readonly near: Device,
    readonly far: Device,
  ) {}

  /** The far one was first; the near one has it for a remote. */
  static async lay(): Promise<Field> {
    const folder = scratch();
    const [far, near] = await twoDevices(folder);
    return new Field(folder, near, far);
  }

  clear(): void {
    discard(this.folder);
  }

  /** Some of what people do; returns what. */
  work(device: Device, random: Seeded): string {
    const all = [this.addSmall, this.addBig, this.edit, this.move, this.removeSmall];
    const chosen = random.shuffle(all).slice(0, random.int(1, 3));
    return chosen.map((each) => each.call(this, device, random)).join(', ');
  }

  private line(): string {
    this.tokens += 1;
    return `§${this.tokens} a line that somebody typed\n`;
  }

  private addSmall(device: Device, random: Seeded): string {
    const count = random.int(20, SMALL_FILES_MAX);
    const folder = `many ${this.line().split(' ', 1)[0]}`;
    for (let at = 0; at < count; at++) device.write(`${folder}/${at}.md`, this.line());
    return `${count} new files`;
  }

  private addBig(device: Device, random: Seeded): string {
    const path = `big/${random.int(1, 3)}.bin`;
    const bytes = randomBytes(random.int(BIG_FILE_BYTES_MAX / 4, BIG_FILE_BYTES_MAX));
    device.write(path, bytes);
    return `${bytes.byteLength} bytes to ${path}`;
  }

  private edit(device: Device, random: Seeded): string {
    const texts = pathsOf(device.root).filter((path) => path.endsWith('.md'));
    const some = random.shuffle(texts).slice(0, random.int(1, 20));
    for (const path of some) {
      const lines = fs.readFileSync(join(device.root, path), 'utf8').split(/(?<=\n)/);
      lines.splice(random.int(lines[0] === '---\n' ? 3 : 0, lines.length), 0, this.line());
      device.write(path, lines.join(''));
    }
    return `${some.length} files edited`;
  }

  private move(device: Device, random: Seeded): string {
    const from = random.pick(pathsOf(device.root));
    const to = `moved/${this.line().split(' ', 1)[0]} ${from.replaceAll('/', ' ').slice(-40)}`;
    fs.mkdirSync(join(device.root, 'moved'), { recursive: true });
    fs.renameSync(join(device.root, from), join(device.root, to));
    return `${from} moved`;
  }

  /** Only what has no tokens, for the others are looked for. */
  private removeSmall(device: Device, random: Seeded): string {
    const blobs = pathsOf(device.root).filter((path) => path.endsWith('.bin'));
    if (blobs.length === 0) return 'nothing removed';
    const path = random.pick(blobs);
    fs.rmSync(join(device.root, path));
    return `${path} removed`;
  }
}

export function treeOf({ root }: Device): Tree {
  return new Map(
    pathsOf(root).map((path) => {
      const bytes = fs.readFileSync(join(root, path));
      const hash = createHash('sha256').update(bytes).digest('hex');
      const tokens = path.endsWith('.bin') ? [] : (bytes.toString('utf8').match(TOKEN) ?? []);
      return [path, { hash, tokens }];
    }),
  );
}

/** Every file but wn's own, sorted. */
function pathsOf(root: string): string[] {
  const found = fs.readdirSync(root, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.split('/').some((part) => OWN.test(part)))
    .sort();
}

/** What a repository holds, and what a full check finds, in this process. */
export function heldBy(device: Device): Promise<Held> {
  return withReplica(device, async (replica) => {
    const { problems } = await fsck(replica, { full: true });
    return { commits: commitsIn(replica), problems };
  });
}

export function commitsOf(device: Device): Promise<ReadonlySet<CommitId>> {
  return withReplica(device, (replica) => Promise.resolve(commitsIn(replica)));
}

export function commitsIn({ history }: Replica): ReadonlySet<CommitId> {
  const commits = new Set<CommitId>();
  for (const record of history.allLogs()) {
    const log = history.logIdOf(record);
    for (const [, { id }] of history.records(log, record.firstSeq, record.stored.seq))
      commits.add(id);
  }
  return commits;
}

async function withReplica<T>(
  { root }: Device,
  work: (replica: Replica) => Promise<T>,
): Promise<T> {
  const location = repositoryAt(root);
  if (location === null) throw new Error(`no repository in ${root}`);
  const replica = await Replica.open(portsOf(location));
  try {
    return await work(replica);
  } finally {
    await replica.close();
  }
}

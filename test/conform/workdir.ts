/**
 * What every WorkDir does, whatever it stands on. `user` edits the same files as any
 * other program would. Leaves out rights: the superuser has them all.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../src/core/errors.js';
import { LOOK_AHEAD_FILES_MIN } from '../../src/core/limits.js';
import type { PackedPaths, Path, WorkDir } from '../../src/core/ports.js';
import { bytes, HOSTILE_PATHS, text, throws } from './expect.js';

/** The user's side of the working directory. */
export interface User {
  mkdir(path: Path): void;
  /** Writes into the same file; its inode and hard links stay. */
  overwrite(path: Path, content: string): void;
  /** Opens a file as an editor does that keeps it open; returns how it writes later. */
  hold(path: Path): (content: string) => void;
  symlink(path: Path, target: string): void;
  move(from: Path, to: Path): void;
  chmod(path: Path, executable: boolean): void;
}

export interface WorkDirFixture {
  readonly workdir: WorkDir;
  readonly user: User;
  /** What the repository's storage holds at a `saveAs` path. */
  saved(path: Path): string | null;
  /** A file outside the root, which a symlink in it can lead to. */
  readonly outside: { readonly target: string; read(): string | null };
  dispose(): void;
}

/** In shared memory, as a caller gives them. */
export function pack(paths: readonly string[]): PackedPaths {
  const all = Buffer.from(paths.join(''));
  const bytes = new Uint8Array(new SharedArrayBuffer(all.length));
  const ends = new Uint32Array(new SharedArrayBuffer(4 * paths.length));
  bytes.set(all);
  let end = 0;
  ends.set(paths.map((path) => (end += Buffer.byteLength(path))));
  return { bytes, ends };
}

/** Lets the turn end: what was looked at may be looked at anew. */
const nextTurn = (): Promise<void> => Promise.resolve();

export function describeWorkDir(name: string, make: () => WorkDirFixture): void {
  describe(`WorkDir: ${name}`, () => {
    let fixture: WorkDirFixture;
    let workdir: WorkDir;
    let user: User;

    beforeEach(() => {
      fixture = make();
      ({ workdir, user } = fixture);
    });
    afterEach(() => fixture.dispose());

    const names = (path: Path): string[] | null =>
      workdir
        .list(path)
        ?.map(({ name: each, kind }) => `${kind} ${each}`)
        .sort() ?? null;

    it('has an empty root at first', () => {
      assert.deepEqual(workdir.list(''), []);
      assert.equal(workdir.stat('')?.kind, 'folder');
      for (const path of ['a', 'a/b', 'a/b/c']) {
        assert.equal(workdir.stat(path), null);
        assert.equal(workdir.list(path), null);
        assert.equal(workdir.read(path), null);
        assert.equal(workdir.readLink(path), null);
        workdir.remove(path);
        assert.equal(workdir.removeFolder(path), true);
      }
    });

    it('says of what it sees ahead what stat says', () => {
      user.overwrite('d/f', 'content');
      user.symlink('é', 'd/f');
      // Looking ahead may not be worth it for fewer.
      const paths = [...Array<string>(LOOK_AHEAD_FILES_MIN).fill(''), 'd/f', 'é', 'gone', 'd/f/g'];
      const ahead = workdir.lookAhead(pack(paths));
      for (const [number, path] of paths.entries()) {
        const seen = ahead?.stat(number);
        if (seen !== undefined) assert.deepEqual(seen, workdir.stat(path));
      }
      ahead?.stop();
    });

    it('lists and reads what the user made', () => {
      user.mkdir('d/empty');
      user.overwrite('d/f', 'content');
      user.overwrite('é 漢字 $&;"', 'x');
      user.symlink('link', 'd/f');
      assert.deepEqual(names(''), ['file é 漢字 $&;"', 'folder d', 'symlink link']);
      assert.deepEqual(names('d'), ['file f', 'folder empty']);
      assert.deepEqual(names('d/empty'), []);
      assert.equal(names('d/f'), null);
      assert.equal(text(workdir.read('d/f')), 'content');
      assert.equal(workdir.read('d'), null);
      assert.equal(workdir.read('d/f/g'), null);
      assert.equal(workdir.readLink('d/f'), null);
      assert.equal(workdir.readLink('link'), 'd/f');
    });

    it('tells by stat what changed', () => {
      user.overwrite('f', 'one');
      const first = workdir.stat('f');
      assert(first !== null);
      assert.deepEqual([first.kind, first.size, first.executable], ['file', 3, false]);
      assert(first.mtimeMs > 0 && first.ctimeMs > 0 && first.birthtimeMs <= first.ctimeMs);
      user.overwrite('f', 'three');
      const second = workdir.stat('f');
      assert.deepEqual([second?.size, second?.ino], [5, first.ino], 'the same file');
      user.chmod('f', true);
      assert.equal(workdir.stat('f')?.executable, true);
      user.move('f', 'g');
      assert.deepEqual([workdir.stat('g')?.ino, workdir.stat('f')], [first.ino, null]);
      assert.equal(workdir.stat('g')?.birthtimeMs, first.birthtimeMs);
    });

    it('writes new files, folders on the way too', () => {
      const stat = workdir.write('a/b/c', bytes('text'));
      assert.deepEqual(stat, workdir.stat('a/b/c'));
      assert.deepEqual([stat.kind, stat.size, stat.executable], ['file', 4, false]);
      assert.equal(text(workdir.read('a/b/c')), 'text');
      assert.deepEqual(names('a/b'), ['file c'], 'nothing temporary is left');
      assert.equal(
        workdir.write('tool', bytes('#!/bin/sh\n'), { executable: true }).executable,
        true,
      );
      assert.equal(workdir.write('empty', bytes('')).size, 0);
      const large = Uint8Array.from(Buffer.alloc(3_000_001, 'no power of two'));
      assert.equal(workdir.write('large', large).size, large.byteLength);
      assert.equal(Buffer.compare(workdir.read('large') ?? bytes(''), large), 0);
    });

    it('writes in pieces, and leaves the old file where they fail', () => {
      workdir.write('a', [bytes('one '), bytes('two')]);
      assert.deepEqual(text(workdir.read('a') ?? bytes('')), 'one two');
      const failing = function* (): Generator<Uint8Array> {
        yield bytes('half');
        throw new WnError('damage', 'no more');
      };
      assert.throws(() => workdir.write('a', failing()), /no more/);
      assert.deepEqual(text(workdir.read('a') ?? bytes('')), 'one two');
      assert.deepEqual(workdir.list('')?.length, 1, 'something else is left');
    });

    it('replaces a file by another, keeping its executable bit', () => {
      const first = workdir.write('f', bytes('old'), { executable: true });
      const second = workdir.write('f', bytes('newer'));
      assert.notEqual(second.ino, first.ino);
      assert.equal(second.executable, true, 'as it was');
      assert.equal(text(workdir.read('f')), 'newer');
      assert.equal(workdir.write('f', bytes('x'), { executable: false }).executable, false);
    });

    it('replaces a symlink, not what it leads to', () => {
      user.symlink('f', fixture.outside.target);
      const before = fixture.outside.read();
      assert.equal(workdir.write('f', bytes('new'), { saveAs: 'saved/f' }).kind, 'file');
      assert.equal(fixture.outside.read(), before);
      assert.equal(fixture.saved('saved/f'), null, 'only a file is saved');
    });

    it('keeps the file that it replaces, later writes to it included', () => {
      user.overwrite('f', 'old');
      const editor = user.hold('f');
      workdir.write('f', bytes('new'), { saveAs: 'tree/saved/1' });
      assert.equal(fixture.saved('tree/saved/1'), 'old');
      editor('late');
      assert.equal(fixture.saved('tree/saved/1'), 'late', 'what an editor still writes is kept');
      assert.equal(text(workdir.read('f')), 'new');
      workdir.write('g', bytes('first'), { saveAs: 'tree/saved/2' });
      assert.equal(fixture.saved('tree/saved/2'), null, 'there was nothing to keep');
      throws(() => workdir.write('f', bytes('x'), { saveAs: 'tree/saved/1' }), 'exists');
      assert.equal(fixture.saved('tree/saved/1'), 'late');
      assert.equal(text(workdir.read('f')), 'new', 'nothing is written that could not be saved');
      throws(() => workdir.write('f', bytes('x'), { saveAs: '../out' }), 'invalid');
    });

    it('removes files and symlinks, saving files', () => {
      user.overwrite('d/f', 'kept');
      user.symlink('d/link', fixture.outside.target);
      workdir.remove('d/f', { saveAs: 'saved/f' });
      workdir.remove('d/link', { saveAs: 'saved/link' });
      assert.deepEqual(names('d'), []);
      assert.equal(fixture.saved('saved/f'), 'kept');
      assert.equal(fixture.saved('saved/link'), null);
      assert.notEqual(fixture.outside.read(), null);
      throws(() => workdir.remove('d'), 'invalid', 'a folder');
    });

    it('removes only empty folders', () => {
      user.overwrite('d/e/f', 'x');
      assert.equal(workdir.removeFolder('d/e'), false);
      assert.equal(workdir.removeFolder('d'), false);
      workdir.remove('d/e/f');
      assert.equal(workdir.removeFolder('d/e'), true);
      assert.equal(workdir.stat('d/e'), null);
      throws(
        () => {
          user.overwrite('d/g', 'x');
          workdir.removeFolder('d/g');
        },
        'invalid',
        'a file',
      );
      user.symlink('link', 'd');
      throws(() => workdir.removeFolder('link'), 'invalid', 'a symlink to a folder');
    });

    it('makes folders, and no folder where something else is', () => {
      workdir.makeFolder('a/b');
      workdir.makeFolder('a/b');
      assert.deepEqual(names('a'), ['folder b']);
      user.overwrite('f', 'x');
      throws(() => workdir.makeFolder('f'), 'exists');
      throws(() => workdir.makeFolder('f/g'), 'exists');
      throws(() => workdir.write('f/g', bytes('x')), 'exists');
      throws(() => workdir.write('a/b', bytes('x')), 'exists', 'a folder is not replaced');
      assert.equal(text(workdir.read('f')), 'x');
      assert.deepEqual(names('a/b'), []);
    });

    it('sets the executable bit of files alone', () => {
      user.overwrite('f', 'x');
      assert.equal(workdir.setExecutable('f', true).executable, true);
      assert.equal(workdir.setExecutable('f', false).executable, false);
      user.symlink('link', 'f');
      throws(() => workdir.setExecutable('link', true), 'not_found');
      throws(() => workdir.setExecutable('nothing', true), 'not_found');
      assert.equal(workdir.stat('f')?.executable, false);
    });

    it('makes symlinks, and replaces nothing by them', () => {
      assert.equal(workdir.symlink('a/link', '../target of any kind').kind, 'symlink');
      assert.equal(workdir.readLink('a/link'), '../target of any kind');
      user.overwrite('f', 'x');
      for (const path of ['a/link', 'f', 'a'])
        throws(() => workdir.symlink(path, 'x'), 'exists', path);
    });

    it('renames without replacing anything', () => {
      const { ino } = workdir.write('a', bytes('a'));
      assert.equal(workdir.rename('a', 'd/b').ino, ino);
      assert.deepEqual([workdir.stat('a'), text(workdir.read('d/b'))], [null, 'a']);
      user.overwrite('taken', 'theirs');
      user.mkdir('empty');
      for (const to of ['taken', 'empty', 'd'])
        throws(() => workdir.rename('d/b', to), 'exists', to);
      throws(() => workdir.rename('nothing', 'x'), 'not_found');
      throws(() => workdir.rename('d/b', 'taken/x'), 'exists');
      assert.equal(text(workdir.read('taken')), 'theirs');
      workdir.rename('d', 'moved');
      assert.deepEqual(names('moved'), ['file b'], 'folders too');
    });

    it('changes the case of a name', () => {
      const { ino } = workdir.write('readme', bytes('x'));
      assert.equal(workdir.rename('readme', 'README').ino, ino);
      assert.deepEqual(names(''), ['file README']);
    });

    it('takes two spellings for one name where its traits say so', () => {
      const { caseInsensitive, normalises } = workdir.traits;
      user.overwrite('Name', 'x');
      user.overwrite('\u00e9', 'x');
      assert.equal(workdir.stat('nAME') !== null, caseInsensitive);
      assert.equal(workdir.stat('e\u0301') !== null, normalises);
      const { ino } = workdir.write('other', bytes('x'));
      if (caseInsensitive) throws(() => workdir.rename('other', 'name'), 'exists');
      else assert.equal(workdir.rename('other', 'name').ino, ino);
      assert.equal(text(workdir.read('Name')), 'x');
    });

    it('follows no symlink on the way', async () => {
      user.mkdir('real');
      user.overwrite('real/f', 'inside');
      user.symlink('link', 'real');
      user.mkdir('d');
      user.symlink('d/out', '..');
      for (const path of ['link/f', 'd/out/real/f', 'link/new', 'link/a/b']) {
        throws(() => workdir.stat(path), 'unreadable', `stat ${path}`);
        throws(() => workdir.list(path), 'unreadable', `list ${path}`);
        throws(() => workdir.read(path), 'unreadable', `read ${path}`);
        throws(() => workdir.readLink(path), 'unreadable', `readLink ${path}`);
        throws(() => workdir.write(path, bytes('x')), 'unreadable', `write ${path}`);
        throws(() => workdir.setExecutable(path, true), 'unreadable', `setExecutable ${path}`);
        throws(() => workdir.symlink(path, 'x'), 'unreadable', `symlink ${path}`);
        throws(() => workdir.makeFolder(path), 'unreadable', `makeFolder ${path}`);
        throws(() => workdir.rename(path, 'x'), 'unreadable', `rename ${path}`);
        throws(() => workdir.rename('real/f', path), 'unreadable', `rename to ${path}`);
        throws(() => workdir.remove(path), 'unreadable', `remove ${path}`);
        throws(() => workdir.removeFolder(path), 'unreadable', `removeFolder ${path}`);
        await nextTurn();
      }
      assert.equal(workdir.list('link'), null, 'a symlink is no folder');
      assert.equal(workdir.read('link'), null);
      assert.equal(workdir.stat('link')?.kind, 'symlink');
      assert.deepEqual(names('real'), ['file f']);
      assert.equal(text(workdir.read('real/f')), 'inside');
    });

    it('sees a folder that was swapped for a symlink', async () => {
      user.overwrite('elsewhere/f', 'untouched');
      const steps: Record<string, (path: Path) => unknown> = {
        stat: (path) => workdir.stat(path),
        list: (path) => workdir.list(path),
        read: (path) => workdir.read(path),
        write: (path) => workdir.write(path, bytes('x')),
        setExecutable: (path) => workdir.setExecutable(path, true),
        rename: (path) => workdir.rename(path, 'stolen'),
        remove: (path) => workdir.remove(path),
      };
      for (const [step, run] of Object.entries(steps)) {
        user.overwrite(`${step}/f`, 'inside');
        await nextTurn();
        assert.equal(workdir.stat(`${step}/f`)?.size, 6);
        user.move(step, `${step}-moved`);
        user.symlink(step, 'elsewhere');
        // A look may go by what this turn has seen; a change may not.
        if (['stat', 'list', 'read'].includes(step)) await nextTurn();
        throws(() => run(`${step}/f`), 'unreadable', step);
      }
      assert.equal(text(workdir.read('elsewhere/f')), 'untouched');
      assert.equal(workdir.stat('elsewhere/f')?.executable, false);
    });

    it('refuses paths that lead elsewhere', () => {
      user.overwrite('good', 'x');
      for (const path of HOSTILE_PATHS) {
        const what = JSON.stringify(path);
        throws(() => workdir.stat(path), 'invalid', `stat ${what}`);
        throws(() => workdir.list(path), 'invalid', `list ${what}`);
        throws(() => workdir.read(path), 'invalid', `read ${what}`);
        throws(() => workdir.readLink(path), 'invalid', `readLink ${what}`);
        throws(() => workdir.write(path, bytes('x')), 'invalid', `write ${what}`);
        throws(() => workdir.setExecutable(path, true), 'invalid', `setExecutable ${what}`);
        throws(() => workdir.symlink(path, 'x'), 'invalid', `symlink ${what}`);
        throws(() => workdir.makeFolder(path), 'invalid', `makeFolder ${what}`);
        throws(() => workdir.rename(path, 'x'), 'invalid', `rename ${what}`);
        throws(() => workdir.rename('good', path), 'invalid', `rename to ${what}`);
        throws(() => workdir.remove(path), 'invalid', `remove ${what}`);
        throws(() => workdir.removeFolder(path), 'invalid', `removeFolder ${what}`);
      }
      throws(() => workdir.write('', bytes('x')), 'invalid', 'the root is no file');
      throws(() => workdir.removeFolder(''), 'invalid', 'the root stays');
      assert.deepEqual(names(''), ['file good']);
    });

    it('behaves like a map of paths to contents', () => {
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
          clear(workdir, '');
          const model = new Map<Path, string>();
          for (const run of operations) run(workdir, model);
          const found = new Map<Path, string>();
          collect(workdir, '', found);
          assert.deepEqual(Object.fromEntries(found), Object.fromEntries([...model].sort()));
        }),
        { numRuns: 20 },
      );
    });
  });
}

function clear(workdir: WorkDir, folder: Path): void {
  for (const { name, kind } of workdir.list(folder) ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind !== 'folder') workdir.remove(path);
    else {
      clear(workdir, path);
      assert.equal(workdir.removeFolder(path), true);
    }
  }
}

function collect(workdir: WorkDir, folder: Path, found: Map<Path, string>): void {
  const entries = [...(workdir.list(folder) ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, kind } of entries) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'folder') collect(workdir, path, found);
    else found.set(path, text(workdir.read(path)) ?? `→ ${workdir.readLink(path)}`);
  }
}

type Operation = (workdir: WorkDir, model: Map<Path, string>) => void;

const somePath = fc.constantFrom('a', 'b', 'd/c', 'd/e/f');
const someText = fc.string({ maxLength: 8 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(somePath, someText).map(([path, content]): Operation => (workdir, model) => {
    assert.equal(workdir.write(path, bytes(content)).size, bytes(content).byteLength);
    model.set(path, content);
  }),
  somePath.map((path): Operation => (workdir, model) => {
    workdir.remove(path);
    model.delete(path);
  }),
  fc.tuple(somePath, somePath).map(([from, to]): Operation => (workdir, model) => {
    const content = model.get(from);
    if (content === undefined || model.has(to)) return;
    workdir.rename(from, to);
    model.delete(from);
    model.set(to, content);
  }),
  somePath.map((path): Operation => (workdir, model) => {
    if (model.has(path)) return;
    workdir.symlink(path, 'somewhere');
    model.set(path, '→ somewhere');
  }),
);

/** The WorkDir suite over the real disk and simulated ones of every kind. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { openWorkDir } from '../../src/node/workdir.js';
import { SimClock } from '../sim/clock.js';
import { SimDisk } from '../sim/disk.js';
import { SimFiles } from '../sim/files.js';
import type { Traits } from '../sim/files.js';
import { Seeded } from '../sim/random.js';
import { SimWorkDir } from '../sim/workdir.js';
import { bytes, text } from './expect.js';
import { removeFolder, tempFolder } from './tempdir.js';
import { describeWorkDir } from './workdir.js';
import type { WorkDirFixture } from './workdir.js';

describeWorkDir('real disk', () => {
  const folder = tempFolder();
  const at = (path: string): string => join(folder, 'work', path);
  const outside = join(folder, 'outside');
  fs.mkdirSync(at(''));
  fs.mkdirSync(join(folder, 'storage'));
  fs.writeFileSync(outside, 'outside');
  const read = (path: string): string | null =>
    fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : null;
  const withParent = (path: string): string => {
    fs.mkdirSync(dirname(at(path)), { recursive: true });
    return at(path);
  };
  return {
    workdir: openWorkDir(at(''), { savedRoot: join(folder, 'storage') }),
    user: {
      mkdir: (path) => void fs.mkdirSync(at(path), { recursive: true }),
      overwrite: (path, content) => fs.writeFileSync(withParent(path), content),
      hold: (path) => {
        const fd = fs.openSync(at(path), 'r+');
        return (content) => {
          fs.writeSync(fd, content, 0);
          fs.ftruncateSync(fd, content.length);
          fs.closeSync(fd);
        };
      },
      symlink: (path, target) => fs.symlinkSync(target, withParent(path)),
      move: (from, to) => fs.renameSync(at(from), withParent(to)),
      chmod: (path, executable) => fs.chmodSync(at(path), executable ? 0o755 : 0o644),
    },
    saved: (path) => read(join(folder, 'storage', path)),
    outside: { target: outside, read: () => read(outside) },
    dispose: () => removeFolder(folder),
  };
});

function simulated(traits: Partial<Traits>): WorkDirFixture {
  const files = new SimFiles({ clock: new SimClock(), traits });
  const disk = new SimDisk({ random: new Seeded(1) });
  disk.push('outside', bytes('outside'));
  return {
    workdir: new SimWorkDir(files, disk),
    user: files,
    saved: (path) => text(disk.bytes(path)),
    outside: { target: '/outside', read: () => text(disk.bytes('outside')) },
    dispose: () => undefined,
  };
}

describeWorkDir('simulated like Linux', () => simulated({}));
describeWorkDir('simulated like macOS', () =>
  simulated({ caseInsensitive: true, normalises: true }),
);
describeWorkDir('simulated like Windows', () => simulated({ caseInsensitive: true }));

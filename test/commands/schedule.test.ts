/** `wn schedule`: what it writes for cron and systemd, that it comes off again, and what runs. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cronLine } from '../../src/cli/schedule/crontab.js';
import { spanOf, type Plan } from '../../src/cli/schedule/plan.js';
import { serviceUnit, timerUnit } from '../../src/cli/schedule/timer.js';
import { CRON_LINE_BYTES_MAX, SCHEDULE_EVERY_MS_MAX } from '../../src/core/limits.js';
import { openStorage } from '../../src/node/storage.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { onlyDocument, wn, type Document } from '../cli/program.js';
import { skip } from '../support/skip.js';

const run = promisify(execFile);

/** Keeps a table in a file, as cron does; says what Vixie's says where there is none. */
const CRONTAB = `#!/bin/sh
case "$1" in
-l) [ -f "$TABLE" ] && exec cat "$TABLE"; echo "no crontab for user" >&2; exit 1 ;;
-) exec cat > "$TABLE" ;;
*) exit 2 ;;
esac
`;
/** Notes what it is asked and says that all is well. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$ASKED"
`;

const MINUTE = 60_000;

/** A machine with programs of its own on its PATH, and a workspace. */
class Box {
  readonly root = tempFolder();
  readonly bin = join(this.root, 'bin');
  readonly table = join(this.root, 'table');
  readonly asked = join(this.root, 'asked');
  readonly config = join(this.root, 'config');
  readonly env = {
    PATH: `${this.bin}:/usr/bin:/bin`,
    WN_HOME: join(this.root, 'home'),
    XDG_CONFIG_HOME: this.config,
    TABLE: this.table,
    ASKED: this.asked,
  };
  readonly folder: string;

  constructor(name = "it's notes") {
    this.folder = join(this.root, name);
    fs.mkdirSync(this.bin);
    fs.mkdirSync(this.folder);
    fs.writeFileSync(join(this.folder, 'a.md'), 'one\n');
  }

  has(program: string, text: string): this {
    fs.writeFileSync(join(this.bin, program), text, { mode: 0o755 });
    return this;
  }

  async json(line: readonly string[], exit = 0): Promise<Document> {
    const args = ['-C', this.folder, '--json', ...line];
    const { status, stdout, stderr } = await wn(args, { env: this.env });
    assert.equal(status, exit, `wn ${line.join(' ')}: ${stdout}${stderr}`);
    return onlyDocument(stdout);
  }

  get units(): readonly string[] {
    const folder = join(this.config, 'systemd/user');
    return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
  }
}

async function withBox(work: (box: Box) => Promise<void>, name?: string): Promise<void> {
  const box = new Box(name);
  try {
    await box.json(['init']);
    await box.json(['commit', '-m', 'import']);
    await work(box);
  } finally {
    removeFolder(box.root);
  }
}

const PLAN: Plan = {
  id: '00000011aaaaaaaa',
  folder: '/home/u/notes',
  everyMs: 15 * MINUTE,
  jitterMs: 90_000,
  words: ['/usr/bin/node', '/opt/wn.js', '-C', '/home/u/notes', 'schedule', 'run'],
  env: { WN_HOME: '/home/u/.config/wn', PATH: '/usr/bin:/bin' },
};

describe('a line for cron', () => {
  it('starts at an offset of its own in every interval that cron can express', () => {
    const fields = (everyMs: number): string =>
      cronLine({ ...PLAN, everyMs })
        .split(' ')
        .slice(0, 5)
        .join(' ');
    assert.equal(fields(MINUTE), '* * * * *');
    assert.equal(fields(15 * MINUTE), '2-59/15 * * * *');
    assert.equal(fields(60 * MINUTE), '17 * * * *');
    assert.equal(fields(6 * 60 * MINUTE), '17 5-23/6 * * *');
    assert.equal(fields(24 * 60 * MINUTE), '17 17 * * *');
    for (const every of [7 * MINUTE, 90 * MINUTE, 5 * 60 * MINUTE, 90_000, SCHEDULE_EVERY_MS_MAX]) {
      assert.throws(() => fields(every), /cron can't start something every/, spanOf(every));
    }
  });

  it('is refused with a % in it, and beyond the length that cron takes', () => {
    assert.throws(() => cronLine({ ...PLAN, words: ['/a%b'] }), /cron takes % for the end/);
    const room = CRON_LINE_BYTES_MAX - cronLine({ ...PLAN, words: ['/'] }).length;
    assert.equal(
      cronLine({ ...PLAN, words: [`/${'x'.repeat(room)}`] }).length,
      CRON_LINE_BYTES_MAX,
    );
    const long = { ...PLAN, words: [`/${'x'.repeat(room + 1)}`] };
    assert.throws(() => cronLine(long), /too long for cron/);
  });
});

describe('the units of a timer', () => {
  it('pass systemd-analyze verify, with awkward names too', function () {
    if (spawnSync('systemd-analyze', ['--version']).error !== undefined) {
      skip(this, 'systemd-analyze is not installed');
    }
    const folder = tempFolder();
    try {
      const words = [process.execPath, '/o p/"wn"\\ 100% $HOME.js', '-C', "/it's"];
      const plan = { ...PLAN, words, folder: '/100% "n\\otes"' };
      fs.writeFileSync(join(folder, 'wn-sync-x.service'), serviceUnit(plan));
      fs.writeFileSync(join(folder, 'wn-sync-x.timer'), timerUnit(plan));
      const files = ['service', 'timer'].map((kind) => join(folder, `wn-sync-x.${kind}`));
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', '--user', ...files],
        { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder } },
      );
      assert.deepEqual([status, stderr], [0, '']);
    } finally {
      removeFolder(folder);
    }
  });
});

describe('wn schedule', function () {
  this.timeout(90_000);

  it('puts one line into the crontab, replaces it, and takes it out; other bytes stay', () =>
    withBox(async (box) => {
      box.has('crontab', CRONTAB);
      const others = Buffer.from(
        'MAILTO=me\n# caf\xe9, not UTF-8\n\n5 4 * * * true # wn\n',
        'latin1',
      );
      fs.writeFileSync(box.table, others);
      const { result } = await box.json(['schedule']);
      const [item] = result?.['items'] as readonly Record<string, string>[];
      assert.equal(item?.['using'], 'cron');
      assert.equal(item['every'], '15m');
      assert.deepEqual(
        fs.readFileSync(box.table),
        Buffer.concat([others, Buffer.from(`${item['at']}\n`)]),
      );
      await box.json(['schedule', '--every', '1h', '--jitter', '2m', '--commit']);
      const { result: listed } = await box.json(['schedule', '--list']);
      const [again] = listed?.['items'] as readonly Record<string, string>[];
      assert.deepEqual([listed?.['total'], again?.['every'], again?.['jitter']], [1, '1h', '2m']);
      assert.equal((await box.json(['schedule', '--remove'])).result?.['removed'], 1);
      assert.deepEqual(fs.readFileSync(box.table), others);
      assert.equal((await box.json(['schedule', '--remove'])).result?.['removed'], 0);
    }));

  it('writes a line that works with nothing in its environment, and says nothing', () =>
    withBox(async (box) => {
      box.has('crontab', CRONTAB);
      const usb = join(box.root, 'usb');
      await wn(['clone', box.folder, usb], { env: box.env });
      await box.json(['remote', 'add', 'usb', usb]);
      await box.json(['schedule', '--commit', '--jitter', '0']);
      fs.writeFileSync(join(box.folder, 'a.md'), 'two\n');
      const command = fs.readFileSync(box.table, 'utf8').trim().split(' ').slice(5).join(' ');
      const { stdout, stderr } = await run('/bin/sh', ['-c', command], { env: {}, cwd: '/' });
      assert.deepEqual([stdout, stderr], ['', '']);
      assert.equal(fs.readFileSync(join(usb, 'a.md'), 'utf8'), 'two\n');
    }));

  it('writes a timer, has systemd start it, and takes it away', () =>
    withBox(async (box) => {
      box.has('systemctl', SYSTEMCTL);
      const { result } = await box.json(['schedule', '--using', 'systemd', '--every', '90s']);
      const [item] = result?.['items'] as readonly Record<string, unknown>[];
      assert.deepEqual([item?.['every'], item?.['active']], ['90s', true]);
      const [service = '', timer = ''] = box.units;
      assert.match(timer, /^wn-sync-[0-9a-f]{16}\.timer$/);
      assert.match(fs.readFileSync(box.asked, 'utf8'), new RegExp(`enable ${timer}\n`));
      const text = fs.readFileSync(join(box.config, 'systemd/user', service), 'utf8');
      assert.match(text, /"schedule" "run" "--quiet"/);
      assert.equal((await box.json(['schedule', '--remove'])).result?.['removed'], 1);
      assert.deepEqual(box.units, []);
      assert.match(fs.readFileSync(box.asked, 'utf8'), new RegExp(`disable --now ${timer}\n`));
    }));

  it('keeps one schedule for a workspace, and writes a timer where no systemd answers', () =>
    withBox(async (box) => {
      box.has('crontab', CRONTAB);
      await box.json(['schedule']);
      box.has('systemctl', '#!/bin/sh\nexit 1\n');
      const { result } = await box.json(['schedule', '--using', 'systemd']);
      const items = result?.['items'] as readonly Record<string, unknown>[];
      assert.deepEqual(
        [items.length, items[0]?.['using'], items[0]?.['active']],
        [1, 'systemd', false],
      );
      assert.equal(fs.readFileSync(box.table, 'utf8'), '');
    }));

  it('refuses what no scheduler can do, and changes nothing', () =>
    withBox(async (box) => {
      box.has('crontab', CRONTAB);
      for (const line of [
        ['--every', '30s'],
        ['--every', '8d'],
        ['--every', '7m'],
        ['--jitter', '15m'],
      ]) {
        await box.json(['schedule', ...line], 2);
      }
      assert.equal(fs.existsSync(box.table), false);
      box.has('crontab', '#!/bin/sh\necho you are not allowed to use this program >&2; exit 1\n');
      assert.match((await box.json(['schedule'], 1)).error?.message ?? '', /not allowed/);
      box.has('crontab', '#!/bin/sh\n[ "$1" = -l ] || cat > /dev/null\n');
      assert.match((await box.json(['schedule'], 1)).error?.message ?? '', /did not keep/);
    }));
});

describe('wn schedule run', function () {
  this.timeout(90_000);

  it('does nothing while another run holds the lock', () =>
    withBox(async (box) => {
      const release = await openStorage(join(box.folder, '.wn')).lock('schedule.lock');
      assert.ok(release !== null);
      try {
        const { result } = await box.json(['schedule', 'run']);
        assert.deepEqual(result, { skipped: true });
      } finally {
        release();
      }
      assert.ok('remotes' in ((await box.json(['schedule', 'run'])).result ?? {}));
    }));

  it('lets a remote be out of reach for a while, once it was in step', () =>
    withBox(async (box) => {
      const usb = join(box.root, 'usb');
      await wn(['clone', box.folder, usb], { env: box.env });
      await box.json(['remote', 'add', 'usb', usb]);
      const line = ['-C', box.folder, 'schedule', 'run', '--quiet', '--tolerate', '1d'];
      assert.equal((await wn(line, { env: box.env })).status, 0);
      fs.rmSync(usb, { recursive: true });
      const { status, stdout, stderr } = await wn(line, { env: box.env });
      assert.deepEqual([status, stdout, stderr], [0, '', '']);
      assert.equal((await wn(line.slice(0, -2), { env: box.env })).status, 15);
    }));

  it('tells what failed, with --quiet too', () =>
    withBox(async (box) => {
      await box.json(['remote', 'add', 'gone', join(box.root, 'gone')]);
      const line = ['-C', box.folder, 'schedule', 'run', '--quiet'];
      const { status, stderr } = await wn(line, { env: box.env });
      assert.equal(status, 15);
      assert.match(stderr, /gone/);
    }));
});

/**
 * A process of its own for tests that kill one or watch it from outside. Usage:
 * `child.ts <what> <root>`. Each line it prints is one JSON value.
 */
import { openKeyValue } from '../../src/node/keyvalue.js';
import { loadOrCreateDeviceKey } from '../../src/node/home.js';
import { openStorage } from '../../src/node/storage.js';
import { WnError } from '../../src/core/errors.js';

const [what = '', root = ''] = process.argv.slice(2);

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function outcome(run: Promise<unknown>): Promise<unknown> {
  try {
    return { value: (await run) ?? null };
  } catch (error) {
    return { code: error instanceof WnError ? error.code : String(error) };
  }
}

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

const roles: Readonly<Record<string, () => Promise<void>>> = {
  /** Holds the lock for as long as it lives. */
  async 'hold-lock'() {
    const release = await openStorage(root).lock('lock');
    say({ held: release !== null });
    setInterval(() => release === null, 60_000);
  },

  /** Writes without end, and says what was acknowledged. */
  async 'write-on'() {
    const storage = openStorage(root);
    for (let round = 0; ; round++) {
      await storage.appendAll([
        { path: 'log/a', bytes: bytes(`${round}\n`) },
        { path: 'log/b', bytes: bytes(`${round}\n`) },
      ]);
      await storage.replace('settings', bytes(`<${String(round).repeat(2_000)}>`));
      await storage.create(`keys/${round}`, bytes(`<${String(round).repeat(2_000)}>`));
      say(round);
    }
  },

  /** For strace to break: each call's outcome. */
  async 'write-once'() {
    const storage = openStorage(root);
    say(await outcome(storage.create('created', bytes('whole'))));
    say(await outcome(storage.append('log', bytes('first'))));
    say(await outcome(storage.append('log', bytes('second'))));
    say(await outcome(storage.replace('settings', bytes('x'))));
    say(await outcome(storage.read('created').then((read) => Buffer.from(read ?? []).toString())));
  },

  /** Writes into the index beside another process, far beyond its first size. */
  async 'write-index'() {
    const map = await openKeyValue(root);
    const value = new Uint8Array(1_000);
    for (let batch = 0; batch < 20; batch++) {
      map.write(
        Array.from(
          { length: 100 },
          (_, index) => [bytes(`child ${batch} ${index}`), value] as const,
        ),
      );
    }
    say({ own: Buffer.from(map.get(bytes('parent')) ?? []).toString() });
    await map.close();
  },

  async 'make-key'() {
    const { publicKey } = await loadOrCreateDeviceKey(root);
    say(Buffer.from(publicKey).toString('hex'));
  },
};

await roles[what]?.();

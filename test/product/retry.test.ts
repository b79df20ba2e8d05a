/** Remotes that can be reached only after a while, or never; what is tried again, and what isn't. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { finished, onlyDocument, startWn } from '../cli/program.js';
import { eventually } from '../support/anchor.js';
import { type Device, discard, PRODUCT_TEST_MS, scratch, twoDevices } from './device.js';
import { daemon, portOf, type Daemon } from './relayed.js';

/** A way to a port that turns the first few callers away, some of them in mid-sentence. */
class Gate {
  calls = 0;
  private readonly server: Server;

  constructor(
    private readonly port: number,
    private readonly refused: number,
  ) {
    this.server = createServer((socket) => this.take(socket));
  }

  async open(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  private take(socket: Socket): void {
    this.calls += 1;
    socket.on('error', () => undefined);
    const away = this.calls <= this.refused;
    if (away && this.calls % 2 === 1) {
      socket.destroy();
      return;
    }
    const onward = connect(this.port, '127.0.0.1');
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    if (away) onward.once('data', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  }

  close(): void {
    this.server.close();
  }
}

describe('a remote that is away for a while', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let a: Device;
  let b: Device;
  let served: Daemon;
  before(async () => {
    folder = scratch();
    [a, b] = await twoDevices(folder);
    served = await daemon(['-C', a.root, 'serve', '--listen', '127.0.0.1:0'], a.home);
  });
  after(async () => {
    await served.stop('SIGTERM');
    discard(folder);
  });

  async function throughGate(name: string, refused: number): Promise<Gate> {
    const gate = new Gate(portOf(served.address), refused);
    const port = await gate.open();
    const address = served.address.replace(/:\d+\//, `:${port}/`);
    await b.json(['remote', 'add', name, address]);
    return gate;
  }

  it('is tried again until it answers, for as long as asked', async () => {
    const gate = await throughGate('gate', 3);
    b.write('b.md', 'from b\n');
    const { result } = await b.json(['push', 'gate', '--commit', '--retry', '2m']);
    const [end] = result?.['remotes'] as readonly { readonly ok: boolean; readonly sent: number }[];
    assert.deepEqual([end?.ok, end?.sent, gate.calls], [true, 1, 4]);
    assert.equal(fs.readFileSync(join(a.root, 'b.md'), 'utf8'), 'from b\n');
    gate.close();
  });

  it('is not tried again unless that is asked for', async () => {
    const gate = await throughGate('once', 1);
    await b.refuses(['push', 'once'], 15, 'unreachable');
    assert.equal(gate.calls, 1);
    gate.close();
  });

  it('can be interrupted while it is waited for', async () => {
    const gate = await throughGate('never', Infinity);
    const line = ['--json', '-C', b.root, 'pull', 'never', '--retry', '1h'];
    const waiting = startWn(line, { env: { WN_HOME: b.home }, timeoutMs: PRODUCT_TEST_MS });
    const ended = finished(waiting);
    await eventually('a second call', () => gate.calls > 1);
    waiting.kill('SIGINT');
    const { status, stdout } = await ended;
    assert.equal(status, 130);
    assert.equal(onlyDocument(stdout).error?.code, 'interrupted');
    gate.close();
  });
});

/** The networks that other tests run in: who reaches whom, and what a cut is. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Network, whyNoNamespaces, type Node } from '../support/namespaces.js';
import { skip } from '../support/skip.js';

const LISTEN = `require('net').createServer((s) => s.end('hello')).listen(4000, () => console.log('up'))`;
const CALL = `
  const socket = require('net').connect({ host: process.argv[1], port: 4000 });
  const done = (what) => { console.log(what); process.exit(0); };
  setTimeout(() => done('silence'), 1500);
  socket.on('error', (error) => done(error.code));
  socket.on('data', (bytes) => done(String(bytes)));
`;

describe('networks of namespaces', function () {
  this.timeout(60_000);
  let network: Network | undefined;
  before(function () {
    const why = whyNoNamespaces();
    if (why !== null) skip(this, why);
  });
  beforeEach(() => (network = new Network()));
  afterEach(() => network?.close());

  async function listenAt({ launcher }: Node): Promise<void> {
    const [command = '', ...words] = [...launcher, process.execPath, '-e', LISTEN];
    const child = spawn(command, words);
    await once(createInterface({ input: child.stdout }), 'line');
  }

  function call({ launcher }: Node, address: string): string {
    const [command = '', ...words] = [...launcher, process.execPath, '-e', CALL, address];
    return spawnSync(command, words, { encoding: 'utf8' }).stdout.trim();
  }

  it('on a switch all reach each other; cut, they hear silence, and healed they reach again', async () => {
    assert.ok(network);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => network?.node(name)) as [Node, Node, Node];
    network.bridge([a, b, c]);
    await listenAt(a);
    assert.equal(call(b, a.address), 'hello');
    network.cut(a, b);
    assert.equal(call(b, a.address), 'silence');
    assert.equal(call(c, a.address), 'hello');
    network.heal(a, b);
    assert.equal(call(b, a.address), 'hello');
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      network.cutOneWay(from, to);
      assert.equal(call(b, a.address), 'silence', 'TCP needs both ways');
      network.heal(from, to);
    }
  });

  it('one way lost, the other way packets still arrive', async () => {
    assert.ok(network);
    const [a, b] = [network.node('a'), network.node('b')];
    network.bridge([a, b]);
    const count = `
      const socket = require('dgram').createSocket('udp4');
      socket.on('message', (bytes) => console.log(String(bytes)));
      socket.bind(4001, () => console.log('up'));
    `;
    const send = `
      const socket = require('dgram').createSocket('udp4');
      socket.send(process.argv[2], 4001, process.argv[1], () => socket.close());
    `;
    const heard: string[] = [];
    for (const node of [a, b]) {
      const [command = '', ...words] = [...node.launcher, process.execPath, '-e', count];
      const lines = createInterface({ input: spawn(command, words).stdout });
      lines.on('line', (line) => heard.push(line));
      await once(lines, 'line');
    }
    const say = ({ launcher }: Node, to: Node, what: string): void => {
      const [command = '', ...words] = [
        ...launcher,
        process.execPath,
        '-e',
        send,
        to.address,
        what,
      ];
      assert.equal(spawnSync(command, words).status, 0);
    };
    network.cutOneWay(a, b);
    say(a, b, 'lost');
    say(b, a, 'arrives');
    while (!heard.includes('arrives')) await new Promise((resolve) => setTimeout(resolve, 10));
    network.heal(a, b);
    say(a, b, 'later');
    while (!heard.includes('later')) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(!heard.includes('lost'));
  });

  it('on cables only neighbours reach each other, and closing leaves nothing', async () => {
    assert.ok(network);
    const [a, b, middle] = ['a', 'b', 'm'].map((name) => network?.node(name)) as [Node, Node, Node];
    const atMiddle = network.cross(a, middle);
    network.cross(b, middle);
    await listenAt(middle);
    await listenAt(b);
    assert.equal(call(a, atMiddle), 'hello');
    assert.equal(call(a, b.address), 'ENETUNREACH');
    network.close();
    const left = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
    assert.ok(!left.includes(`wn${process.pid}-`), left);
  });
});

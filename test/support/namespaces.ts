/**
 * Small networks of Linux network namespaces: nodes on a bridge or on a cable, each with its
 * own addresses and loopback, links that can be cut both ways or one way and healed. Needs
 * root and iproute2, nothing else; what is made goes when it is closed, or with the process.
 * A cut loses unicast packets silently, as a broken network does; multicast still passes.
 */
import { spawnSync } from 'node:child_process';

/** Room for as many nodes on one network as anyone needs. */
const NODES_MAX = 200;
/** Rules of ours stand before that of local addresses, which is moved here. */
const LOCAL_RULE = 100;
const CUT_RULE = 50;

/** Why there can be none here; null if there can. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `wn${process.pid}-probe`;
  const { status, error, stderr } = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  if (error !== undefined) return 'iproute2 is not installed';
  if (status !== 0) return `no network namespace can be made: ${stderr.trim()}`;
  ip('netns', 'del', probe);
  return null;
}

/** A machine of its own, as far as the network goes. */
export interface Node {
  readonly name: string;
  /** On the first network that it came into. */
  readonly address: string;
  /** The words before a command that is to run there; see `RunOptions.launcher`. */
  readonly launcher: readonly string[];
}

export class Network {
  private readonly namespaces: string[] = [];
  private readonly addresses = new Map<string, string[]>();
  private subnets = 0;
  private links = 0;
  private readonly onExit = (): void => this.close();

  constructor() {
    sweep();
    process.once('exit', this.onExit);
  }

  /** A node that is connected to nothing yet. */
  node(label: string): Node {
    const name = this.make(label);
    const addresses: string[] = [];
    this.addresses.set(name, addresses);
    const launcher = ['ip', 'netns', 'exec', name];
    return {
      name,
      launcher,
      get address() {
        return addresses[0] ?? '';
      },
    };
  }

  /** Puts nodes on one switch, where they also hear each other's multicasts. */
  bridge(nodes: readonly Node[]): void {
    const hub = this.make('hub');
    ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', hub, 'link', 'set', 'br0', 'up');
    const subnet = this.subnet(nodes.length);
    for (const [i, node] of nodes.entries()) {
      const port = this.cable(node, hub);
      ip('-n', hub, 'link', 'set', port, 'master', 'br0');
      ip('-n', hub, 'link', 'set', port, 'up');
      this.address(node, port, `${subnet}.${i + 1}`);
    }
  }

  /** Puts two nodes on a cable between them. Gives the address of the second there. */
  cross(one: Node, other: Node): string {
    const subnet = this.subnet(2);
    const wire = this.cable(one, other.name);
    this.address(one, wire, `${subnet}.1`);
    this.address(other, wire, `${subnet}.2`);
    return `${subnet}.2`;
  }

  /** What `from` sends to `to` is lost; the other way it still arrives. */
  cutOneWay(from: Node, to: Node): void {
    for (const address of this.addresses.get(from.name) ?? []) {
      ip('-n', to.name, 'rule', 'add', 'pref', `${CUT_RULE}`, 'from', address, 'blackhole');
    }
  }

  /** Neither reaches the other. */
  cut(one: Node, other: Node): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** Mends every cut between the two. */
  heal(one: Node, other: Node): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const address of this.addresses.get(from.name) ?? []) {
        const rule = ['rule', 'del', 'pref', `${CUT_RULE}`, 'from', address];
        while (spawnSync('ip', ['-n', to.name, ...rule]).status === 0);
      }
    }
  }

  /** Ends what still runs there, and removes everything. */
  close(): void {
    process.off('exit', this.onExit);
    for (const name of this.namespaces.splice(0)) remove(name);
  }

  private make(label: string): string {
    const name = `wn${process.pid}-${this.namespaces.length}${label}`;
    ip('netns', 'add', name);
    this.namespaces.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    for (const family of ['-4', '-6']) {
      ip('-n', name, family, 'rule', 'add', 'pref', `${LOCAL_RULE}`, 'lookup', 'local');
      ip('-n', name, family, 'rule', 'del', 'pref', '0');
    }
    return name;
  }

  /** A new one for so many nodes: its first three numbers. */
  private subnet(nodes: number): string {
    if (nodes > NODES_MAX) throw new Error(`at most ${NODES_MAX} nodes on a network`);
    this.subnets += 1;
    return `10.77.${this.subnets}`;
  }

  /** Both ends have the same name, each in its namespace. */
  private cable(node: Node, to: string): string {
    this.links += 1;
    const wire = `w${this.links}`;
    const peer = ['peer', 'name', wire, 'netns', to];
    ip('-n', node.name, 'link', 'add', wire, 'type', 'veth', ...peer);
    return wire;
  }

  private address(node: Node, wire: string, address: string): void {
    ip('-n', node.name, 'addr', 'add', `${address}/24`, 'dev', wire);
    ip('-n', node.name, 'link', 'set', wire, 'up');
    this.addresses.get(node.name)?.push(address);
  }
}

function ip(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function remove(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  spawnSync('ip', ['netns', 'del', name]);
}

/** What a run that was killed has left. */
function sweep(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [name, pid] = /^wn(\d+)-\S+/.exec(line) ?? [];
    if (name !== undefined && !isAlive(Number(pid))) remove(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * SSH by the `ssh2` library, for machines without an `ssh` program: the same `wn serve
 * --stdio` over there, keys from the agent or from `~/.ssh`, the host held against
 * `known_hosts`. Leaves out the user's `~/.ssh/config`: only an `ssh` program reads that.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { AnyAuthMethod, Client, ClientChannel, ServerHostKeyAlgorithm } from 'ssh2';
import { WnError } from '../core/errors.js';
import { CHANNEL_LINGER_MS, SSH_KEY_FILE_BYTES_MAX, SSH_LOGIN_MS } from '../core/limits.js';
import { FramedChannel } from './framing.js';
import {
  addKnownHost,
  fingerprint,
  hostName,
  judgeHost,
  knownHostLine,
  knownTypes,
  readKnownHosts,
  typeOfKey,
} from './knownhosts.js';
import type { Line } from './line.js';
import { because, commandLine, LastWords, noAnswer, type RemoteCommand } from './remotecommand.js';
import type { SshTarget } from './systemssh.js';
import { dialTcp } from './tcp.js';

/** What only the user can say; null where nobody can be asked. */
export interface Asking {
  passphrase(keyFile: string): Promise<string>;
  trust(host: string, fingerprint: string): Promise<boolean>;
}

export interface Ssh2Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly asking: Asking | null;
}

const SSH_PORT = 22;
/** In the order in which they are offered. */
const KEY_FILES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const HOST_KEYS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Throws `unreachable`, with `details.reason` `host_key` where the host isn't who it was. */
export async function openSsh2(
  target: SshTarget,
  remote: RemoteCommand,
  options: Ssh2Options,
): Promise<Line> {
  const { host } = target;
  const place = { host, port: target.port ?? SSH_PORT };
  const home = options.env['HOME'] ?? homedir();
  const verifier = new HostVerifier(hostName(host, place.port), home, options.asking);
  const [{ default: ssh2 }, socket] = await Promise.all([import('ssh2'), dialTcp(place)]);
  const client = new ssh2.Client();
  const username = target.user ?? userInfo().username;
  const methods = authMethods(username, home, options, ssh2.utils.parseKey);
  const opened = new Promise<ClientChannel>((resolve, reject) => {
    client.on('error', (error) => reject(verifier.refusal ?? loginFailed(username, host, error)));
    client.on('close', () => reject(verifier.refusal ?? unreachable(host, 'it hung up')));
    client.on('ready', () => {
      client.exec(commandLine(remote), (error, stream) => {
        if (error === undefined) resolve(stream);
        else reject(unreachable(host, error.message));
      });
    });
    client.connect({
      sock: socket,
      username,
      readyTimeout: SSH_LOGIN_MS,
      algorithms: {
        kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
        serverHostKey: verifier.algorithms(),
        cipher: [
          'aes128-gcm@openssh.com',
          'aes256-gcm@openssh.com',
          'chacha20-poly1305@openssh.com',
        ],
        compress: ['none'],
      },
      hostVerifier: (key: Buffer, answer: (valid: boolean) => void) => {
        void verifier.verify(key).then(answer, () => answer(false));
      },
      authHandler: (_left, _partial, next) => {
        void methods.next().then(
          ({ done, value }) => next(done === true ? (false as never) : value),
          () => next(false as never),
        );
      },
    });
  });
  try {
    return new Ssh2Line(client, await opened, socket, host, remote);
  } catch (error) {
    client.destroy();
    socket.destroy();
    throw error;
  }
}

/** Judges the host's key once; `refusal` is why it was turned down. */
class HostVerifier {
  refusal: WnError | null = null;
  private readonly known;

  constructor(
    private readonly name: string,
    private readonly home: string,
    private readonly asking: Asking | null,
  ) {
    this.known = readKnownHosts(home);
  }

  /** Those by which the host is known come first: it may have several. */
  algorithms(): ServerHostKeyAlgorithm[] {
    const known = knownTypes(this.known, this.name);
    const isKnown = (algorithm: string): boolean =>
      known.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
    return [...HOST_KEYS.filter(isKnown), ...HOST_KEYS.filter((each) => !isKnown(each))];
  }

  async verify(key: Buffer): Promise<boolean> {
    const { name, home } = this;
    const verdict = judgeHost(this.known, name, key);
    if (verdict === 'known') return true;
    const shown = `${typeOfKey(key)} ${fingerprint(key)}`;
    if (verdict === 'unknown') {
      if (this.asking !== null && (await this.asking.trust(name, shown))) {
        addKnownHost(home, name, key);
        return true;
      }
      this.refusal = hostRefused(
        `the host ${name} is not known here; its key is ${shown}`,
        `nothing was exchanged; if that is its key, add to ~/.ssh/known_hosts: ${knownHostLine(name, key)}`,
      );
    } else if (verdict === 'changed') {
      this.refusal = hostRefused(
        `the key of the host ${name} has changed: it is ${shown} now. Somebody may stand in between`,
        `nothing was exchanged; if its owner changed it, remove the old one from ~/.ssh/known_hosts`,
      );
    } else {
      this.refusal = hostRefused(
        `the key of the host ${name} is revoked: ${shown}`,
        'nothing was exchanged; ask its owner',
      );
    }
    return false;
  }
}

/** Ways to log in, each made when the one before has failed. */
async function* authMethods(
  username: string,
  home: string,
  { env, asking }: Ssh2Options,
  parseKey: (text: Buffer, passphrase?: string) => unknown,
): AsyncGenerator<AnyAuthMethod> {
  const agent = env['SSH_AUTH_SOCK'];
  if (agent !== undefined && agent !== '' && existsSync(agent)) {
    yield { type: 'agent', username, agent };
  }
  for (const name of KEY_FILES) {
    const file = join(home, '.ssh', name);
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? Infinity;
    if (size > SSH_KEY_FILE_BYTES_MAX) continue;
    const key = readFileSync(file);
    if (!(parseKey(key) instanceof Error)) {
      yield { type: 'publickey', username, key };
    } else if (asking !== null) {
      const passphrase = await asking.passphrase(file);
      if (!(parseKey(key, passphrase) instanceof Error)) {
        yield { type: 'publickey', username, key, passphrase };
      }
    }
  }
}

class Ssh2Line implements Line {
  readonly channel: FramedChannel;
  private readonly stderr = new LastWords();
  private readonly ended: Promise<void>;

  constructor(
    private readonly client: Client,
    stream: ClientChannel,
    private readonly socket: Duplex,
    private readonly host: string,
    private readonly remote: RemoteCommand,
  ) {
    stream.stderr.on('data', (bytes: Buffer) => this.stderr.hear(bytes));
    this.ended = new Promise((resolve) => {
      stream.once('close', () => resolve());
      socket.once('close', () => resolve());
    });
    this.channel = new FramedChannel(
      { readable: stream, writable: stream },
      { peer: null, buffered: socket, dispose: async (broken) => this.hangUp(broken) },
    );
  }

  /** Hangs up when the program over there has ended, or after a while. */
  private hangUp(broken: boolean): void {
    const cut = (): void => {
      this.client.end();
      this.socket.destroy();
    };
    const timer = setTimeout(cut, broken ? 0 : CHANNEL_LINGER_MS);
    void this.ended.then(() => {
      clearTimeout(timer);
      cut();
    });
  }

  gone(): Promise<void> {
    return this.ended;
  }

  async fault(): Promise<WnError | null> {
    await this.ended;
    return this.channel.opened ? null : noAnswer(this.host, this.remote, this.stderr.text);
  }
}

function unreachable(host: string, why: string): WnError {
  return new WnError('unreachable', `can't reach ${host}${because(why)}`, {
    hint: 'nothing was exchanged; run it again, or install OpenSSH, which knows more ways',
    details: { host, reason: 'no_connection' },
  });
}

function loginFailed(user: string, host: string, error: Error & { level?: string }): WnError {
  if (error.level !== 'client-authentication') return unreachable(host, error.message);
  return new WnError(
    'unreachable',
    `${host} lets nobody in as ${user} with the keys that are here`,
    {
      hint: 'nothing was exchanged; start an ssh-agent with the key, or put it into ~/.ssh/id_ed25519',
      details: { host },
    },
  );
}

function hostRefused(message: string, hint: string): WnError {
  return new WnError('unreachable', message, { hint, details: { reason: 'host_key' } });
}

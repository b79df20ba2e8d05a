/**
 * `SecureChannel` over `ssh2`, for both ends of any duplex of bytes: keys are the devices'
 * own, each end proves its device, and the dialler has pinned the other's. Hardened here
 * once, for what `ssh2` leaves open: no time-out of a login, no bound on what a peer sends
 * or leaves unread, every kind of channel, every old cipher. Leaves out which devices may
 * come in, which the session judges by their capabilities, and where the bytes come from.
 */
import type { Duplex, Writable } from 'node:stream';
import type { Algorithms, AuthContext, Connection, PublicKeyAuthContext, Session } from 'ssh2';
import { toHex } from '../core/bytes.js';
import { badPublicKey, verify } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import {
  CHANNEL_LINGER_MS,
  CHANNEL_SLACK_BYTES,
  LOGIN_ATTEMPTS_MAX,
  LOGIN_MS,
} from '../core/limits.js';
import { FramedChannel } from './framing.js';
import { formatKey, secretFromSeed } from './opensshkey.js';

export interface SecureOptions {
  /** 32 bytes: the secret of the device at this end. */
  readonly seed: Uint8Array;
  readonly loginMs?: number;
}

const USER = 'wn';
const SUBSYSTEM = 'wn-sync';
const IDENT = 'wn';

const ALGORITHMS: Algorithms = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'],
  // These ciphers bring their own; the list can't be empty.
  hmac: ['hmac-sha2-256-etm@openssh.com'],
  compress: ['none'],
};

/** Throws `unreachable`, also where another device than `expected` answers. Closes what failed. */
export async function dialSecure(
  line: Duplex,
  options: SecureOptions & { readonly expected: string },
): Promise<FramedChannel> {
  const { Client } = (await import('ssh2')).default;
  checkOpen(line);
  const client = new Client();
  const guard = new Guard(line, () => client.destroy());
  let wrong = false;
  const opened = new Promise<FramedChannel>((resolve, reject) => {
    client.on('error', (error) => reject(wrong ? otherDevice() : unreachable(error.message)));
    client.on('close', () => reject(unreachable('the connection was closed')));
    client.on('ready', () => {
      client.subsys(SUBSYSTEM, (error, stream) => {
        if (error === undefined) resolve(channelOver(stream, line, guard, options.expected));
        else reject(unreachable(error.message));
      });
    });
    client.connect({
      sock: line,
      username: USER,
      privateKey: keyText(options.seed),
      authHandler: ['publickey'],
      algorithms: ALGORITHMS,
      ident: IDENT,
      readyTimeout: 0,
      hostVerifier: (blob: Buffer) => {
        wrong = deviceOfBlob(blob) !== options.expected;
        return !wrong;
      },
    });
  });
  return guard.during(opened, options.loginMs ?? LOGIN_MS);
}

/** The channel of whichever device proves itself. Throws `unreachable`. Closes what failed. */
export async function acceptSecure(line: Duplex, options: SecureOptions): Promise<FramedChannel> {
  const { Server } = (await import('ssh2')).default;
  checkOpen(line);
  let connection: Connection | null = null;
  const guard = new Guard(line, () => connection?.end());
  const opened = new Promise<FramedChannel>((resolve, reject) => {
    line.once('close', () => reject(unreachable('the connection was closed')));
    const server = new Server(
      { hostKeys: [keyText(options.seed)], algorithms: ALGORITHMS, ident: IDENT },
      (client) => {
        connection = client;
        client.on('error', (error: Error) => reject(unreachable(error.message)));
        const proof = proofOf(client);
        client.on('ready', () => {
          client.once('session', (accept) => {
            const { device } = proof;
            if (device === null) return reject(unreachable('nobody was proven'));
            onSubsystem(accept(), (stream) => resolve(channelOver(stream, line, guard, device)));
          });
        });
      },
    );
    server.injectSocket(line as Parameters<typeof server.injectSocket>[0]);
  });
  return guard.during(opened, options.loginMs ?? LOGIN_MS);
}

/** A line that was lost while `ssh2` was loaded won't say so again. */
function checkOpen(line: Duplex): void {
  if (line.destroyed) throw unreachable('the connection was closed');
}

/** Lets a client in that signs with the key it names; remembers whose that is. */
function proofOf(client: Connection): { readonly device: string | null } {
  const proof: { device: string | null } = { device: null };
  let attempts = 0;
  client.on('authentication', (context: AuthContext) => {
    attempts += 1;
    if (attempts > LOGIN_ATTEMPTS_MAX) {
      client.end();
      return;
    }
    const device = context.method === 'publickey' ? deviceIn(context) : null;
    if (context.method !== 'publickey' || device === null || context.username !== USER) {
      context.reject(['publickey']);
    } else if (context.signature === undefined || context.blob === undefined) {
      context.accept(); // a question only: would this key do?
    } else if (verify(device, context.blob, context.signature)) {
      proof.device = device;
      context.accept();
    } else {
      context.reject();
    }
  });
  return proof;
}

function deviceIn({ key }: PublicKeyAuthContext): string | null {
  return key.algo === 'ssh-ed25519' ? deviceOfBlob(key.data) : null;
}

/** One subsystem, once; requests for anything else go unheard, which `ssh2` answers with no. */
function onSubsystem(session: Session, open: (stream: Duplex) => void): void {
  session.once('subsystem', (accept, reject, { name }) => {
    if (name === SUBSYSTEM) open(accept());
    else reject();
  });
}

const KEY_HEAD = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

/** The device of a public key as SSH writes it (RFC 8709); null for any other and for bad ones. */
function deviceOfBlob(blob: Buffer): string | null {
  if (blob.byteLength !== KEY_HEAD.byteLength + 32) return null;
  if (!blob.subarray(0, KEY_HEAD.byteLength).equals(KEY_HEAD)) return null;
  const device = toHex(blob.subarray(KEY_HEAD.byteLength));
  return badPublicKey(device) === null ? device : null;
}

function keyText(seed: Uint8Array): string {
  const secret = secretFromSeed(seed);
  // Any number does: it tells a wrong passphrase, and here is none.
  return formatKey(secret, IDENT, 0);
}

function channelOver(stream: Duplex, line: Duplex, guard: Guard, peer: string): FramedChannel {
  guard.watch(stream);
  return new FramedChannel(
    { readable: stream, writable: stream },
    { peer, buffered: line, dispose: async (broken) => guard.release(broken) },
  );
}

/**
 * What holds a peer to its bounds below `ssh2`: a time to log in, and as many raw bytes as
 * its frames, and answers to ours, account for.
 */
class Guard {
  private raw = 0;
  private received = 0;
  private stream: Duplex | null = null;

  constructor(
    private readonly line: Duplex,
    private readonly end: () => void,
  ) {
    line.on('data', (bytes: Buffer) => this.count(bytes.byteLength));
    // Without a listener an error would end the process; each channel hears of it as a close.
    line.on('error', () => undefined);
  }

  async during(opened: Promise<FramedChannel>, loginMs: number): Promise<FramedChannel> {
    const timer = setTimeout(() => this.line.destroy(), loginMs);
    try {
      return await opened;
    } catch (error) {
      this.cut();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  watch(stream: Duplex): void {
    this.stream = stream;
    stream.on('data', (bytes: Buffer) => (this.received += bytes.byteLength));
  }

  private count(bytes: number): void {
    this.raw += bytes;
    const sent = bytesWritten(this.line);
    if (this.raw > CHANNEL_SLACK_BYTES + 4 * this.received + sent / 16) this.cut();
  }

  /** Hangs up when the other side has, or after a while. */
  release(broken: boolean): void {
    if (broken) {
      this.cut();
      return;
    }
    const timer = setTimeout(() => this.cut(), CHANNEL_LINGER_MS);
    this.line.once('close', () => clearTimeout(timer));
    this.stream?.once('close', () => this.end());
    if (this.stream?.readableEnded === true) this.end();
  }

  private cut(): void {
    this.end();
    this.line.destroy();
  }
}

function bytesWritten(line: Writable): number {
  return 'bytesWritten' in line && typeof line.bytesWritten === 'number' ? line.bytesWritten : 0;
}

function unreachable(why: string): WnError {
  return new WnError('unreachable', `no secure connection: ${why}`, {
    details: { reason: 'no_connection' },
  });
}

function otherDevice(): WnError {
  return new WnError('unreachable', 'another device answers there than the one that was meant', {
    hint: 'nothing was exchanged; if its owner has changed it, ask for the new address',
    details: { reason: 'host_key' },
  });
}

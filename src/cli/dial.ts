/** Reaches a remote that isn't a folder here: by `ssh`, or directly by a device's key. */
import { WnError } from '../core/errors.js';
import type { Line } from '../node/line.js';
import type { RemoteCommand } from '../node/remotecommand.js';
import { SETTINGS, settingOf } from '../repo/setting.js';
import type { Config, Remote } from '../repo/settings.js';
import type { Address, SshAddress } from './address.js';
import type { Context } from './context.js';
import { askSecret, confirm } from './prompt.js';
import { deviceKey } from './repository.js';
import { splitWords } from './words.js';

/** Addresses that say where there is a stream of bytes. */
export type StreamAddress = Exclude<Address, { kind: 'path' | 'mdns' }>;

/** Throws `unreachable`; most of what goes wrong is told by the line itself, later. */
export async function dial(
  context: Context,
  config: Config | null,
  remote: Pick<Remote, 'servePath'>,
  address: StreamAddress,
): Promise<Line> {
  if (address.kind === 'ssh') return dialSsh(context, config, remote, address);
  if (address.kind === 'relay') {
    return (await import('./dialrelay.js')).dialThroughRelay(context, config, address);
  }
  const [{ reachTcp }, { dialSecure }] = await Promise.all([
    import('../node/proxy.js'),
    import('../node/securessh.js'),
  ]);
  const [{ seed }, socket] = await Promise.all([deviceKey(context), reachTcp(address, true)]);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const channel = await dialSecure(socket, { seed, expected: address.device });
  return { channel, fault: () => Promise.resolve(null), gone: () => closed };
}

async function dialSsh(
  context: Context,
  config: Config | null,
  { servePath = 'wn' }: Pick<Remote, 'servePath'>,
  address: SshAddress,
): Promise<Line> {
  const { env, interactive } = context;
  const { openSystemSsh } = await import('../node/systemssh.js');
  const chosen = env['WN_SSH_COMMAND'] || sshCommandOf(config);
  const words = splitWords(chosen);
  const remote = { words: splitWords(servePath), path: address.path };
  const line = await openSystemSsh({ words, unattended: !interactive, env }, address, remote);
  if (line !== null) return line;
  if (chosen === SETTINGS['core.sshCommand'].default) return dialSsh2(context, address, remote);
  throw new WnError('unreachable', `there is no program ${words[0] ?? ''} to reach a host with`, {
    hint: 'nothing was exchanged; install OpenSSH, or name another: WN_SSH_COMMAND',
  });
}

/** Where there is no `ssh` program. */
async function dialSsh2(
  context: Context,
  address: SshAddress,
  remote: RemoteCommand,
): Promise<Line> {
  const { openSsh2 } = await import('../node/ssh2client.js');
  const asking = {
    passphrase: (file: string) => askSecret(context, `Passphrase for ${file}:`),
    trust: (host: string, key: string) =>
      confirm(context, {
        text: `${host} is not known here. Its key is ${key}. Trust it`,
        flag: 'its line in ~/.ssh/known_hosts',
      }),
  };
  return openSsh2(address, remote, {
    env: context.env,
    asking: context.interactive ? asking : null,
  });
}

function sshCommandOf(config: Config | null): string {
  return config === null
    ? SETTINGS['core.sshCommand'].default
    : settingOf(config, 'core.sshCommand');
}

/** The flag of that name as a part of a remote. Throws `usage`. */
export function checkServeCommand(
  given: string | undefined,
  url: string,
): Pick<Remote, 'servePath'> {
  if (given === undefined) return {};
  const words = splitWords(given);
  const bad = words.length === 0 || given.startsWith('-') || /\p{Cc}/u.test(given);
  if (bad || !/:/.test(url)) {
    throw new WnError('usage', `not a command that could serve ${url}: ${given}`, {
      hint: 'it names a program on a host that ssh reaches: --serve-command /path/to/wn',
    });
  }
  return { servePath: given };
}

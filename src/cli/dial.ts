/** Reaches a remote that isn't a folder here: by `ssh`, or directly by a device's key. */
import { WnError } from '../core/errors.js';
import type { Line } from '../node/line.js';
import { SETTINGS, settingOf } from '../repo/setting.js';
import type { Config, Remote } from '../repo/settings.js';
import type { Address, SshAddress } from './address.js';
import type { Context } from './context.js';
import { deviceKey } from './repository.js';
import { splitWords } from './words.js';

/** Addresses behind which there is a stream of bytes. */
export type StreamAddress = Exclude<Address, { kind: 'path' }>;

/** Throws `unreachable`; most of what goes wrong is told by the line itself, later. */
export async function dial(
  context: Context,
  config: Config | null,
  remote: Pick<Remote, 'servePath'>,
  address: StreamAddress,
): Promise<Line> {
  if (address.kind === 'ssh') return dialSsh(context, config, remote, address);
  const [{ dialTcp }, { dialSecure }] = await Promise.all([
    import('../node/tcp.js'),
    import('../node/securessh.js'),
  ]);
  const [{ seed }, socket] = await Promise.all([deviceKey(context), dialTcp(address)]);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const channel = await dialSecure(socket, { seed, expected: address.device });
  return { channel, fault: () => Promise.resolve(null), gone: () => closed };
}

async function dialSsh(
  { env, interactive }: Context,
  config: Config | null,
  { servePath = 'wn' }: Pick<Remote, 'servePath'>,
  address: SshAddress,
): Promise<Line> {
  const { openSystemSsh } = await import('../node/systemssh.js');
  const words = splitWords(env['WN_SSH_COMMAND'] || sshCommandOf(config));
  const remote = { words: splitWords(servePath), path: address.path };
  const line = await openSystemSsh({ words, unattended: !interactive, env }, address, remote);
  if (line !== null) return line;
  throw new WnError('unreachable', `there is no program ${words[0] ?? ''} to reach a host with`, {
    hint: 'nothing was exchanged; install OpenSSH, or name another: WN_SSH_COMMAND',
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

/** A relay and devices behind it, as processes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startWn, type RunOptions } from '../cli/program.js';
import { PRODUCT_TEST_MS, type Device } from './device.js';

export interface Daemon {
  readonly child: ReturnType<typeof startWn>;
  /** As it prints it when it is ready. */
  readonly address: string;
  /** What it has written to standard error. */
  log(): string;
  /** Ends it and gives its exit status, null if a signal did. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a command that prints where it can be reached. */
export async function daemon(
  line: readonly string[],
  home: string,
  { env = {}, ...options }: Pick<RunOptions, 'env' | 'launcher' | 'timeoutMs'> = {},
): Promise<Daemon> {
  const child = startWn(['--json', ...line], {
    timeoutMs: PRODUCT_TEST_MS,
    ...options,
    env: { WN_HOME: home, ...env },
  });
  const log: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => log.push(bytes));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit');
  const said = await Promise.race([once(lines, 'line'), ended.then(() => null)]);
  const text = (): string => Buffer.concat(log).toString();
  assert.ok(said !== null, `wn ${line.join(' ')} ended: ${text()}`);
  const { ready, address } = JSON.parse(String(said[0])) as { ready: boolean; address: string };
  assert.equal(ready, true);
  return {
    child,
    address,
    log: text,
    async stop(signal) {
      child.kill(signal);
      const [status] = (await ended) as [number | null];
      return status;
    },
  };
}

export const startRelay = (
  home: string,
  listen = '127.0.0.1:0',
  flags: readonly string[] = [],
  timeoutMs = PRODUCT_TEST_MS,
): Promise<Daemon> => daemon(['relay', '--listen', listen, ...flags], home, { timeoutMs });

export const serveThrough = (
  { root, home, env, launcher }: Device,
  relay: string,
  timeoutMs = PRODUCT_TEST_MS,
): Promise<Daemon> =>
  daemon(['-C', root, 'serve', '--relay', relay], home, { env, launcher, timeoutMs });

export const portOf = (address: string): number => Number(/:(\d+)(\/|$)/.exec(address)?.[1]);

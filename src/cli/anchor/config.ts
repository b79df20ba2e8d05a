/**
 * What an anchor may be told: `anchor.json` in its root, read at the start and again on
 * SIGHUP. Every part is optional; one that isn't understood makes the whole file refused,
 * because a bound that is misspelt would otherwise quietly not be there.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WnError } from '../../core/errors.js';
import { parseDevice, type DeviceId } from '../../core/ids.js';
import {
  ANCHOR_BYTES_BURST,
  ANCHOR_BYTES_PER_SECOND,
  ANCHOR_CONFIG_BYTES_MAX,
  ANCHOR_CONNECTIONS_MAX,
  ANCHOR_PER_ADDRESS_MAX,
  ANCHOR_REFUSED_DEVICES_MAX,
  ANCHOR_SIGNATURES_BURST,
  ANCHOR_SIGNATURES_PER_SECOND,
  ANCHOR_UNPROVEN_MAX,
} from '../../core/limits.js';
import type { Bounds } from '../../node/tcp.js';
import type { Rate } from '../../sync/bucket.js';

export interface AnchorConfig {
  /** `HOST:PORT` by which others reach it, where that isn't where it listens. */
  readonly address: string | null;
  readonly bounds: Bounds;
  readonly bytes: Rate;
  readonly signatures: Rate;
  /** Devices that get nothing, whatever they may show. */
  readonly refuse: ReadonlySet<DeviceId>;
}

export const CONFIG_FILE = 'anchor.json';

const NUMBERS = {
  connections: ANCHOR_CONNECTIONS_MAX,
  connectionsPerAddress: ANCHOR_PER_ADDRESS_MAX,
  connectionsUnproven: ANCHOR_UNPROVEN_MAX,
  bytesPerSecond: ANCHOR_BYTES_PER_SECOND,
  signaturesPerSecond: ANCHOR_SIGNATURES_PER_SECOND,
} as const;

type Numbers = Record<keyof typeof NUMBERS, number>;

/** Throws `usage`. */
export function readAnchorConfig(root: string): AnchorConfig {
  const file = join(root, CONFIG_FILE);
  const numbers: Numbers = { ...NUMBERS };
  let address: string | null = null;
  let refuse: ReadonlySet<DeviceId> = new Set();
  for (const [name, value] of Object.entries(readObject(file))) {
    if (Object.hasOwn(NUMBERS, name)) numbers[name as keyof Numbers] = positive(file, name, value);
    else if (name === 'address') address = hostAndPort(file, value);
    else if (name === 'refuse') refuse = devices(file, value);
    else throw bad(file, `it has no ${name}`);
  }
  const { connections, connectionsPerAddress, connectionsUnproven } = numbers;
  const { bytesPerSecond, signaturesPerSecond } = numbers;
  return {
    address,
    bounds: { all: connections, perAddress: connectionsPerAddress, unproven: connectionsUnproven },
    bytes: { perSecond: bytesPerSecond, burst: Math.max(bytesPerSecond, ANCHOR_BYTES_BURST) },
    signatures: {
      perSecond: signaturesPerSecond,
      burst: Math.max(signaturesPerSecond, ANCHOR_SIGNATURES_BURST),
    },
    refuse,
  };
}

function readObject(file: string): object {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return {};
  if (size > ANCHOR_CONFIG_BYTES_MAX) throw bad(file, 'it is too long');
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw bad(file, error instanceof Error ? error.message : 'it is no JSON');
  }
  throw bad(file, 'it is no JSON object');
}

function positive(file: string, name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  throw bad(file, `${name} is no whole number above 0`);
}

function hostAndPort(file: string, value: unknown): string {
  if (typeof value === 'string' && /^(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}$/.test(value))
    return value;
  throw bad(file, 'address is no HOST:PORT');
}

function devices(file: string, value: unknown): ReadonlySet<DeviceId> {
  const fault = 'refuse is no list of devices (did:key:…)';
  if (!Array.isArray(value) || value.length > ANCHOR_REFUSED_DEVICES_MAX) throw bad(file, fault);
  try {
    return new Set(value.map((device) => parseDevice(String(device))));
  } catch {
    throw bad(file, fault);
  }
}

function bad(file: string, why: string): WnError {
  return new WnError('usage', `${file} can't be used: ${why}`, {
    hint: `the parts that there are: address, refuse, ${Object.keys(NUMBERS).join(', ')}`,
  });
}

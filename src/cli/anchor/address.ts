/** By which address an anchor was last reached; kept in its root for `wn anchor allow`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../../core/bytes.js';
import { showDevice, type DeviceId } from '../../core/ids.js';
import { replaceFile } from '../../node/durable.js';
import type { Place } from '../../node/tcp.js';

const ADDRESS_FILE = 'address';

/** `wn://DEVICE@host:port`, to which `/WORKSPACE` is added. */
export function anchorAddress(
  device: DeviceId,
  { host, port }: Place,
  named: string | null,
): string {
  const at = named ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `wn://${showDevice(device).replace('did:key:', '')}@${at}`;
}

export async function keepAddress(root: string, address: string): Promise<void> {
  await replaceFile(join(root, ADDRESS_FILE), utf8(`${address}\n`));
}

/** Null before the anchor has ever listened. */
export function readAddress(root: string): string | null {
  try {
    return readFileSync(join(root, ADDRESS_FILE), 'utf8').trimEnd();
  } catch {
    return null;
  }
}

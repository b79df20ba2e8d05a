/**
 * `wn anchor allow`: an anchor joins a workspace with a ticket, offline. The first member
 * that syncs fills it; whether that is one is judged by the root that the ticket hangs on.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodeTicket, redeem } from '../../caps/ticket.js';
import { toHex } from '../../core/bytes.js';
import { hlcFromMs, showTime } from '../../core/hlc.js';
import { showId } from '../../core/ids.js';
import { nodeClock } from '../../node/clock.js';
import { loadOrCreateDeviceKey, type DeviceKey } from '../../node/home.js';
import { nodeRng } from '../../node/rng.js';
import { createRoot } from '../../node/root.js';
import { adoptWorkspace } from '../../repo/birth.js';
import { writeJoining } from '../../repo/settings.js';
import type { Context } from '../context.js';
import { portsOf } from '../repository.js';
import { readAddress } from './address.js';
import { isHosted, placeOfWorkspace } from './hosts.js';

export interface Allowed {
  readonly workspace: string;
  readonly name: string;
  readonly path: string;
  /** What members give to `wn remote add`; null before the anchor has ever listened. */
  readonly address: string | null;
  /** Until when the ticket holds; null: for ever. */
  readonly expires: string | null;
  /** It was hosted here before; its right is the ticket's from the next time it is opened. */
  readonly renewed: boolean;
}

/** The anchor's own device, kept on its one volume. */
export function anchorKey(root: string, { env }: Pick<Context, 'env'>): Promise<DeviceKey> {
  const passphraseFile = env['WN_PASSPHRASE_FILE'];
  const options = passphraseFile === undefined ? {} : { passphraseFile };
  return loadOrCreateDeviceKey(join(root, 'device'), options);
}

/** Throws `invalid_ticket`, `expired`, `denied`. */
export async function allowWorkspace(
  context: Context,
  folder: string,
  ticketText: string,
): Promise<Allowed> {
  const root = resolve(context.cwd, folder);
  const nowMs = nodeClock.wallMs();
  const ticket = decodeTicket(ticketText, nowMs);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const key = await anchorKey(root, context);
  const device = toHex(key.publicKey);
  const caps = redeem(ticket, device, nowMs, nodeRng);
  const exp = caps.at(-1)?.cap.exp ?? null;
  const place = placeOfWorkspace(root, ticket.ws);
  const joining = { deviceName: key.name, caps };
  const renewed = isHosted(place);
  if (renewed) {
    await writeJoining(portsOf(place).storage, joining);
  } else {
    rmSync(place.data, { recursive: true, force: true });
    mkdirSync(place.root, { recursive: true, mode: 0o700 });
    await createRoot(place.data);
    const settings = { 'receive.materialise': false };
    const config = { workspace: ticket.ws, name: ticket.name, device, remotes: [], settings };
    const replica = await adoptWorkspace(portsOf(place), config, joining);
    await replica.close();
  }
  const base = readAddress(root);
  const workspace = showId(ticket.ws);
  return {
    workspace,
    name: ticket.name,
    path: place.root,
    address: base === null ? null : `${base}/${workspace}`,
    expires: exp === null ? null : showTime(hlcFromMs(exp)),
    renewed,
  };
}

/** Tickets: how one is issued and written, and where a line that is given comes from. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseActs } from '../caps/acts.js';
import { verifyChain } from '../caps/attenuate.js';
import { encodeCap } from '../caps/cap.js';
import { encodeTicket, invite } from '../caps/ticket.js';
import { WnError } from '../core/errors.js';
import { hlcFromMs, showTime } from '../core/hlc.js';
import type { CapId } from '../core/ids.js';
import { nodeAt } from '../tree/workcopy.js';
import type { Context } from './context.js';
import type { Repository } from './repository.js';
import { readStdin } from './stdin.js';

export interface TicketWish {
  readonly act: string;
  readonly path: string | null;
  readonly expiresMs: number | null;
  readonly via: readonly string[];
  readonly name: string | null;
}

export interface Issued {
  readonly ticket: string;
  readonly cap: CapId;
  readonly addresses: readonly string[];
  readonly expires: string | null;
  readonly warnings: readonly string[];
}

/** Commits the grant and returns the ticket. Throws `denied`. */
export async function issueTicket(repository: Repository, wish: TicketWish): Promise<Issued> {
  const { replica, work, location } = repository;
  const nowMs = replica.ports.clock.wallMs();
  const own = replica.authority.actingCap(replica.device, nowMs);
  const chain = own === null ? null : verifyChain(own, replica.authority);
  if (own === null || chain?.ok !== true) {
    throw new WnError('denied', 'this device holds no capability here that is still good', {
      hint: 'ask another member: wn invite',
    });
  }
  const home =
    wish.path === null ? own.cap.home : replica.authority.homeOf(nodeAt(replica, wish.path));
  if (home === null) throw new WnError('not_found', `nothing at ${wish.path ?? ''}`);
  const exp =
    wish.expiresMs === null
      ? own.cap.exp
      : Math.min(nowMs + wish.expiresMs, own.cap.exp ?? Infinity);
  const addresses = wish.via.length > 0 ? wish.via : [location.root];
  const terms = {
    name: wish.name ?? replica.config.name,
    addresses,
    act: parseActs(wish.act),
    home,
    nbf: own.cap.nbf,
    exp,
    fields: own.cap.fields,
  };
  const ticket = invite(chain.chain, terms, await repository.signer(), replica.ports.rng);
  const cap = ticket.caps.at(-1);
  if (cap === undefined) throw new WnError('internal', 'a ticket without a capability');
  await work.change(null, (draft) => {
    draft.add({ op: 'grant', cap: encodeCap(cap.cap), sig: cap.sig ?? new Uint8Array(64) });
  });
  return {
    ticket: encodeTicket(ticket),
    cap: cap.id,
    addresses,
    expires: exp === null ? null : showTime(hlcFromMs(exp)),
    warnings: warningsFor(addresses, wish.via.length === 0),
  };
}

function warningsFor(addresses: readonly string[], guessed: boolean): readonly string[] {
  const local = addresses.every(
    (address) => address.startsWith('/') || address.startsWith('file:'),
  );
  if (guessed)
    return ['the address is this folder: it works on this machine only; name others with --via'];
  return local ? ['every address is a path: they work only where the same disk is'] : [];
}

/** Writes a ticket that only its owner can read. Throws `exists`. */
export function writeTicket(file: string, ticket: string): void {
  try {
    writeFileSync(file, `${ticket}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new WnError(
      code === 'EEXIST' ? 'exists' : 'unreadable',
      `the ticket was not written to ${file} (${code ?? 'failed'})`,
      {
        hint: 'name another file: wn invite --out FILE; the grant without its ticket is of no use to anyone',
        cause: error,
      },
    );
  }
}

/** The text of a ticket argument: a file, `-`, or the line itself. */
export async function readTicketArgument(
  context: Context,
  argument: string,
): Promise<{ readonly text: string; readonly literal: boolean }> {
  if (argument === '-') {
    return { text: Buffer.from(await readStdin(context)).toString('utf8'), literal: false };
  }
  const file = resolve(context.cwd, argument);
  if (existsSync(file)) return { text: readFileSync(file, 'utf8'), literal: false };
  if (argument.startsWith('wn-ticket-')) return { text: argument, literal: true };
  throw new WnError('not_found', `no such file: ${argument}`, {
    hint: 'nothing was changed; give the file that wn invite --out wrote, or - for standard input',
  });
}

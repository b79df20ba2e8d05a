/** Ledgers for tests: a simulated disk, and a group whose configuration has a history. */
import { Ledger } from '../../../src/consensus/strong/ledger.js';
import { SimDisk } from '../../sim/disk.js';
import { Seeded } from '../../sim/random.js';
import { A, add, ALICE, GENESIS, payloads, set, TestLog } from './fixtures.js';

export interface Held {
  readonly disk: SimDisk;
  readonly ledger: Ledger;
}

export async function ledgerOn(disk = new SimDisk({ random: new Seeded(7) })): Promise<Held> {
  const storage = disk.open();
  return { disk, ledger: await Ledger.open({ storage, genesis: GENESIS, writer: true }) };
}

/** Takes in what `log` has beyond the ledger, under a certificate of its last entry. */
export async function certify(
  ledger: Ledger,
  log: TestLog,
  certificate = log.certificate(),
): Promise<void> {
  const { index } = ledger.head();
  await ledger.take(index, payloads(log, index, certificate));
}

/**
 * From the founder alone to members 2, 3 and 4, the founder removed; each step certified.
 * Entry 1 is a write before all that.
 */
export async function grown(ledger: Ledger): Promise<TestLog> {
  const log = new TestLog();
  log.ask(ALICE, [set(A, 'first')]);
  await certify(ledger, log);
  const promote = (id: number): { change: 'promote'; id: number } => ({ change: 'promote', id });
  for (const changes of [
    [add(2), add(3), add(4)],
    [promote(2), promote(3)],
    [promote(4), { change: 'remove', id: 1 } as const],
  ]) {
    log.beginChange(...changes);
    await certify(ledger, log);
    log.endChange();
    await certify(ledger, log);
  }
  return log;
}

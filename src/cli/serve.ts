/** The other end of a sync: answers one session over standard input and output. */
import { resolve } from 'node:path';
import { WnError } from '../core/errors.js';
import { FramedChannel } from '../node/framing.js';
import { runSync } from '../sync/driver.js';
import { KeptCheckpoints, peerCheckpointPath } from '../sync/kept.js';
import { ReplicaStore } from '../sync/replicastore.js';
import type { Context } from './context.js';
import { receiveIn } from './exchange.js';
import { findRepository, repositoryAt } from './location.js';
import { openAt } from './repository.js';

/** Throws what ended the session before its time. */
export async function serveStdio(context: Context, folder: string | undefined): Promise<void> {
  const location =
    folder === undefined
      ? findRepository(context.cwd, context.env)
      : repositoryAt(resolve(context.cwd, folder));
  if (location === null) {
    throw new WnError('no_repository', `no wn repository at ${folder ?? context.cwd}`, {
      hint: 'correct the path in the address: wn remote add NAME ADDRESS',
    });
  }
  const repository = await openAt(context, location);
  context.shared.session = repository;
  const { clock, rng, storage } = repository.replica.ports;
  const kept = new KeptCheckpoints(storage, peerCheckpointPath);
  const store = new ReplicaStore(repository.replica, kept);
  const channel = new FramedChannel(
    { readable: process.stdin, writable: process.stdout },
    { peer: null },
  );
  const { signal } = context.interruption;
  const report = await runSync(store, channel, { clock, rng }, { mode: 'answer', signal });
  process.stdin.destroy();
  await kept.save();
  if (report.received > 0 || report.blobsReceived > 0) await receiveIn(repository);
  if (report.error !== null) throw report.error;
}

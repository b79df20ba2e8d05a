import { World } from './world.js';
import { Ledger } from './ledger.js';
import { User } from './user.js';
import { takeStep } from './converge.js';
import { syncStores } from '../../src/sync/path.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
const world = await World.begin(44, 3);
const ledger = new Ledger();
const users = new Map(world.devices.map((device) => [device, new User(device, ledger, {})]));
for (let step = 0; step < 20; step++) { world.passTime(); await takeStep(world, users); }
for (const d of world.devices) await d.work.commit({message:null});
const [a,b] = world.devices as any;
console.log(a.replica.history.allLogs(), b.replica.history.allLogs().map((l:any)=>[l.dev, l.stored, l.folded]));
const r = await syncStores(new ReplicaStore(a.replica), new ReplicaStore(b.replica), 'sync', {clock: a.clock, rng: (world as any).rng});
console.log(JSON.stringify([r.near.rejected, r.far.rejected]));
console.log(b.replica.history.allLogs().map((l:any)=>[l.dev, l.stored, l.folded]));
const { decodePayload } = await import('../../src/core/frame.js');
const { checkCommit } = await import('../../src/core/commit.js');
import { logId } from '../../src/core/ids.js';
const log = b.replica.history.allLogs()[1]; const id = b.replica.history.logIdOf(log);
for (let seq = 0; seq <= 2; seq++) { const commit = b.replica.history.commit({log: id, seq});
 try { checkCommit({ ...commit }); console.log(seq, 'ok'); } catch (e) { console.log(seq, (e as Error).message, b.replica.fold.groups.of(commit)); for (const g of b.replica.fold.groups.of(commit)) for (const op of g.ops) console.log(JSON.stringify(op, (k, v) => typeof v === 'bigint' ? `${v}n` : v)); } }

import { World } from '/work/main/test/simulation/world.js';
const t0 = performance.now();
const w = await World.begin(1, 3);
console.log('begin', performance.now()-t0);
for (let i=0;i<5;i++){
const t1 = performance.now();
const w = await World.begin(2+i, 3);
console.log('begin', performance.now()-t1);
const t2 = performance.now();
w.first.files.save('x/a.md', 'hello\nworld\n');
await w.first.work.commit({message:'x'});
const t3 = performance.now();
await w.sync(w.first, w.device(1));
console.log('commit', t3-t2, 'sync', performance.now()-t3);
await w.syncBadly(w.device(2), w.device(1), 0.02).then(console.log);
console.log(w.device(2).files.all(), performance.now()-t3);
}

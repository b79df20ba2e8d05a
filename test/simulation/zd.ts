import { World } from './world.js';
import { Ledger } from './ledger.js';
import { User } from './user.js';
import { takeStep } from './converge.js';
import { checkAgreement, treeOf } from './agreement.js';
const [seed, steps, textOnly, verbose] = [
  Number(process.argv[2]),
  Number(process.argv[3]),
  process.argv[4] === 'text',
  process.argv[5] !== undefined,
];
const world = await World.begin(seed, 3);
const ledger = new Ledger();
const users = new Map(
  world.devices.map((device) => [device, new User(device, ledger, { textOnly })]),
);
let last = '';
const show = (_: string) => {
  for (const d of world.devices) {
    const now = JSON.stringify(treeOf(d.files), null, 1);
    const key = d.name + now;
    if (!last.includes(key)) {
      console.log('   ', d.name, now.replace(/\n/g, '\n    '));
    }
  }
  last = world.devices.map((d) => d.name + JSON.stringify(treeOf(d.files), null, 1)).join('|');
};
for (let step = 0; step < steps; step++) {
  world.passTime();
  console.log(step + 1, await takeStep(world, users));
  if (verbose) show('');
}
for (let r = 0; r < 4; r++) {
  for (const d of world.devices) {
    world.passTime();
    const r = await d.work.commit({ message: null });
    console.log(d.name, 'commits', r.ops, r.refused, r.materialised);
    if (verbose) show('');
  }
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    await world.sync(world.device(a), world.device(b));
    console.log('sync', a, b);
    if (verbose) show('');
  }
}
await checkAgreement(world, ledger);

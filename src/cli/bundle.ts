/** What the bundle offers: the program to `bin/wn.js`, the descriptions to the build. */
export { describeAll } from './describe.js';
export { main } from './main.js';
export { toManifest } from './manifest.js';

/** The KeyValue suite over LMDB and the simulated map. */
import { openKeyValue } from '../../src/node/keyvalue.js';
import { SimKeyValue } from '../sim/keyvalue.js';
import { describeKeyValue } from './keyvalue.js';
import { removeFolder, tempFolder } from './tempdir.js';

describeKeyValue('LMDB', async () => {
  const folder = tempFolder();
  let map = await openKeyValue(`${folder}/index`);
  return {
    map,
    reopen: async () => {
      await map.close();
      map = await openKeyValue(`${folder}/index`);
      return map;
    },
    dispose: async () => {
      await map.close();
      removeFolder(folder);
    },
  };
});

describeKeyValue('simulated', async () => {
  const map = new SimKeyValue();
  return { map, reopen: async () => map, dispose: () => map.close() };
});

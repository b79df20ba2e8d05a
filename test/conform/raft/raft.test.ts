import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skip } from '../../support/skip.js';
import { caseFiles, declaredOut, runCase } from './cases.js';

const DATA = fileURLToPath(new URL('../../../../shared/data/raft-datadriven', import.meta.url));

describe("etcd's scripted Raft cases", () => {
  if (!existsSync(DATA)) {
    it('run', function () {
      skip(this, 'no reference data beside this checkout');
    });
    return;
  }
  for (const path of caseFiles(DATA)) {
    it(relative(DATA, path), function () {
      const reason = declaredOut(path);
      if (reason !== null) skip(this, reason);
      assert.equal(runCase(path), null);
    });
  }
});

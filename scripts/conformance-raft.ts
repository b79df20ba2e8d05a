/**
 * `npm run conformance:raft -- DIR…`: drives scripted Raft cases of etcd-io/raft against this
 * one, and prints each file's verdict. Exits with 1 unless all passed.
 */
import { caseFiles, declaredOut, runCase } from '../test/conform/raft/cases.js';

const counts = { passed: 0, failed: 0 };

for (const path of process.argv.slice(2).flatMap(caseFiles)) {
  const reason = declaredOut(path);
  if (reason !== null) {
    console.log(`out   ${path}: ${reason}`);
    continue;
  }
  const difference = runCase(path);
  console.log(`${difference === null ? 'pass' : 'FAIL'}  ${path}`);
  if (difference !== null) console.log(difference);
  counts[difference === null ? 'passed' : 'failed']++;
}

console.log(`${counts.passed} passed, ${counts.failed} failed`);
if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;

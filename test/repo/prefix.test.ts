import assert from 'node:assert/strict';
import fc from 'fast-check';
import { showId } from '../../src/core/ids.js';
import { ID_PREFIX_CHARS_MIN, ID_PREFIX_MATCHES_MAX } from '../../src/core/limits.js';
import { key, Tables } from '../../src/repo/index/tables.js';
import { isIdPrefix, nodeByPrefix } from '../../src/repo/prefix.js';
import { SimKeyValue } from '../sim/keyvalue.js';

const NODE = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

function tablesOf(nodes: readonly string[]): Tables {
  const tables = new Tables(new SimKeyValue());
  for (const node of nodes) tables.put(key.node(node), Uint8Array.of(0));
  return tables;
}

describe('repo/prefix', () => {
  it('finds what one id begins with, however much of it is given', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(NODE, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (nodes, length) => {
          const tables = tablesOf(nodes);
          for (const node of nodes) {
            const whole = showId(node);
            const word = whole.slice(0, Math.max(ID_PREFIX_CHARS_MIN, length % (whole.length + 1)));
            const matching = nodes.filter((other) => showId(other).startsWith(word));
            if (matching.length === 1) assert.equal(nodeByPrefix(tables, word), node);
            else assert.throws(() => nodeByPrefix(tables, word), { code: 'invalid' });
          }
        },
      ),
    );
  });

  it('finds nothing where none begins so', () => {
    const tables = tablesOf(['00'.repeat(16)]);
    assert.equal(nodeByPrefix(tables, 'zzzz'), null);
    assert.equal(nodeByPrefix(tables, showId('00'.repeat(15) + '01')), null);
  });

  it('names a few of several, and looks at no more than its bound', () => {
    const nodes = Array.from({ length: ID_PREFIX_MATCHES_MAX + 1 }, (_, index) =>
      index.toString(16).padStart(32, 'a'),
    );
    const tables = tablesOf(nodes);
    const word = showId(nodes[0] ?? '').slice(0, 8);
    assert.throws(
      () => nodeByPrefix(tables, word),
      (error: { hint: string }) => {
        assert.equal(error.hint.split(', ').length, 3);
        return true;
      },
    );
    for (const node of nodes) assert.equal(nodeByPrefix(tables, showId(node)), node);
  });

  it('takes as an id only what can be one, from four characters on', () => {
    for (const word of ['0123', 'abcdefgh', showId('ff'.repeat(16))])
      assert.ok(isIdPrefix(word), word);
    for (const word of ['012', 'ilou', 'ABCD', '2026-11-20', '@~1x', 'a b c']) {
      assert.ok(!isIdPrefix(word), word);
    }
  });
});

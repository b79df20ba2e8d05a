/** Borders of grapheme clusters, against the segmentation of the whole text. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GRAPHEME_LOOKAROUND_MAX } from '../../../src/core/limits.js';
import { clusterAround, type Cluster } from '../../../src/crdt/text/graphemes.js';
import { FUZZ_RUNS } from './histories.js';

const PARTS = [
  'a',
  ' ',
  '\r',
  '\n',
  'é',
  'e\u0301',
  '\u0301',
  '漢',
  '漢\u3099',
  '\u200d',
  '🙂',
  '👩‍👩‍👧',
];
PARTS.push('🏽', '🇩', '🇪', '🇫🇷', 'क्ष', '\u094d', 'ᄀ', 'ᅡ', 'ᆨ', 'я', '©', '\ud83d');

/** The cluster around each place of a text, by segmenting all of it. */
function clusters(text: string): (Cluster | undefined)[] {
  const around = new Array<Cluster | undefined>(text.length + 1).fill(undefined);
  for (const { segment, index } of new Intl.Segmenter('en').segment(text)) {
    const cluster = { start: index, end: index + segment.length };
    around.fill(cluster, index + 1, cluster.end);
  }
  return around;
}

function assertClusters(text: string): void {
  clusters(text).forEach((expected, at) => {
    assert.deepEqual(clusterAround(text, at), expected, `at ${at}`);
  });
}

describe('clusterAround', () => {
  it('knows the borders of any text', () => {
    const text = fc.array(fc.constantFrom(...PARTS), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => assertClusters(parts.join(''))),
      { numRuns: FUZZ_RUNS * 20 },
    );
  });

  it('takes a pictograph of Latin-1 for what a joiner makes of it', () => {
    assertClusters('👩‍👩‍👧\u200d©\u0301');
    assertClusters('🙂\u200d® 2026');
  });

  it('tells flags apart as far back as it looks', () => {
    assertClusters(`x${'🇩🇪'.repeat((GRAPHEME_LOOKAROUND_MAX - 4) / 4)}`);
  });

  it('never falls between the halves of a surrogate pair, however far the run goes', () => {
    const flags = 'x' + '🇩🇪'.repeat(GRAPHEME_LOOKAROUND_MAX);
    for (let at = 2; at < flags.length; at += 2) assert.ok(clusterAround(flags, at) !== undefined);
  });

  it('gives a part of a cluster that is longer than it looks', () => {
    const marks = `e${'\u0301'.repeat(3 * GRAPHEME_LOOKAROUND_MAX)}`;
    const at = 2 * GRAPHEME_LOOKAROUND_MAX;
    assert.deepEqual(clusterAround(marks, at), {
      start: at - GRAPHEME_LOOKAROUND_MAX,
      end: at + GRAPHEME_LOOKAROUND_MAX,
    });
  });
});

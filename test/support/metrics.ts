/**
 * Reads Prometheus' text format 0.0.4 as strictly as its description is: every line is a
 * comment or a sample, HELP and TYPE come before the samples of their metric, and once.
 */
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = '\\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*",?)*\\}';
const SAMPLE = new RegExp(
  `^(${NAME})(${LABELS})? (NaN|[+-]Inf|[-+]?[0-9.]+(?:e[-+]?\\d+)?)( \\d+)?$`,
);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** Samples by name with labels. Throws for a line that is none of the format's. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  assert.ok(text.endsWith('\n'), 'the last line has an end');
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind !== 'TYPE') continue;
      assert.ok(TYPES.includes(rest) && !types.has(name), line);
      types.set(name, rest);
      continue;
    }
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    assert.ok(name !== undefined, `no sample: ${line}`);
    const family = name.replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(name) || types.has(family), `a sample before its type: ${line}`);
    assert.ok(!samples.has(name + labels), `twice: ${line}`);
    samples.set(name + labels, Number(value?.replace('Inf', 'Infinity')));
  }
  return samples;
}

/** The dashboard asks only for metrics that an anchor has, by labels that they have. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { anchorMetrics } from '../../src/node/metrics.js';
import { ROOT } from '../cli/program.js';
import { parseMetrics } from '../support/metrics.js';

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly query: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const dashboard = JSON.parse(
  readFileSync(join(ROOT, 'deploy/grafana/anchor.json'), 'utf8'),
) as Dashboard;

/** A name that isn't called as a function is, and isn't in braces or quotes. */
const METRIC = /\b((?:wn|process|nodejs)_[a-z0-9_]+)\b(?!\()/g;

/** What `/metrics` says, each counter having counted once, as name to its labels. */
async function exported(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const zero = (): number => 0;
  const metrics = await anchorMetrics({ connections: zero, following: zero, workspaces: zero });
  metrics.session('ok');
  metrics.refused('denied');
  metrics.moved('in', 1);
  metrics.bytes(1);
  const names = new Map<string, ReadonlySet<string>>();
  for (const sample of parseMetrics((await metrics.text()).body).keys()) {
    const [name = '', labels = ''] = sample.split('{');
    names.set(name, new Set([...labels.matchAll(/(\w+)="/g)].map(([, label]) => label ?? '')));
  }
  return names;
}

describe('deploy/grafana/anchor.json', () => {
  const targets = dashboard.panels.flatMap((panel) => panel.targets);

  it('queries only metrics that an anchor exports', async () => {
    const known = await exported();
    const queries = [
      ...targets.map(({ expr }) => expr),
      ...dashboard.templating.list.map(({ query }) => query),
    ];
    const asked = queries.flatMap((query) => [...query.matchAll(METRIC)].map(([, name]) => name));
    assert.deepEqual(
      asked.filter((name) => !known.has(name ?? '')),
      [],
    );
    const own = [...known.keys()].filter((name) => name.startsWith('wn_'));
    assert.deepEqual(
      own.filter((name) => !asked.includes(name)),
      [],
      'every metric of ours is shown',
    );
  });

  it('groups and names by labels that the metric has', async () => {
    const known = await exported();
    for (const { expr, legendFormat } of targets) {
      const [metric = ''] = [...expr.matchAll(METRIC)].map(([, name]) => name ?? '');
      const labels = new Set([...(known.get(metric) ?? []), 'instance']);
      const used = [
        ...(/by \(([^)]*)\)/.exec(expr)?.[1]?.split(/, */) ?? []),
        ...[...expr.matchAll(/[{,] *(\w+)[!=]/g)].map(([, label]) => label ?? ''),
        ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? ''),
      ];
      for (const label of used) assert.ok(labels.has(label), `${metric} has no ${label}: ${expr}`);
    }
  });

  it('has panels with ids and titles of their own', () => {
    const ids = dashboard.panels.map(({ id, title }) => [id, title]);
    assert.equal(new Set(ids.map(([id]) => id)).size, ids.length);
    assert.equal(new Set(ids.map(([, title]) => title)).size, ids.length);
  });
});

/**
 * What an anchor tells Prometheus. No label names a workspace, a device or an address:
 * their number has no bound, and whoever reads metrics need not know them.
 */
import type { Registry } from 'prom-client';

export interface AnchorGauges {
  readonly connections: () => number;
  readonly following: () => number;
  readonly workspaces: () => number;
}

export interface AnchorMetrics {
  /** `end` is `ok` or the code of an error. */
  readonly session: (end: string) => void;
  readonly refused: (reason: string) => void;
  readonly moved: (way: 'in' | 'out', commits: number) => void;
  readonly bytes: (count: number) => void;
  /** In the text format 0.0.4. */
  readonly text: () => Promise<{ readonly type: string; readonly body: string }>;
}

export async function anchorMetrics(gauges: AnchorGauges): Promise<AnchorMetrics> {
  const prometheus = (await import('prom-client')).default;
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  const registers: Registry[] = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new prometheus.Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('wn_anchor_connections', 'Connections with a proven device.', gauges.connections);
  gauge('wn_anchor_following', 'Sessions that stay and hear of news.', gauges.following);
  gauge('wn_anchor_workspaces_open', 'Workspaces that are open.', gauges.workspaces);
  const sessions = new prometheus.Counter({
    name: 'wn_anchor_sessions_total',
    help: 'Sessions that have ended, by how.',
    labelNames: ['end'],
    registers,
  });
  const refused = new prometheus.Counter({
    name: 'wn_anchor_refused_total',
    help: 'Callers that were turned away, by why.',
    labelNames: ['reason'],
    registers,
  });
  const commits = new prometheus.Counter({
    name: 'wn_anchor_commits_total',
    help: 'Commits taken in and sent out.',
    labelNames: ['way'],
    registers,
  });
  const bytes = new prometheus.Counter({
    name: 'wn_anchor_received_bytes_total',
    help: 'Bytes of frames from clients.',
    registers,
  });
  return {
    session: (end) => sessions.inc({ end }),
    refused: (reason) => refused.inc({ reason }),
    moved: (way, count) => commits.inc({ way }, count),
    bytes: (count) => bytes.inc(count),
    // It writes `Nan` where the format has `NaN`, and only some parsers take both.
    text: async () => ({
      type: registry.contentType,
      body: (await registry.metrics()).replace(/ Nan$/gm, ' NaN'),
    }),
  };
}

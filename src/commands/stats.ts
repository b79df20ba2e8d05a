/** Counts what this copy holds. */
import { Flags, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { collectStats, type Stats as StatsResult } from '../cli/statistics.js';

export default class Stats extends WnCommand<typeof Stats, StatsResult> {
  static override readonly summary = 'Count what this copy holds';
  static override readonly description =
    'Operations by level: local were made here, eventual came from other devices, strong went ' +
    'through the consensus group. Sizes are those of the files. --prometheus prints the same for ' +
    'a scraper (text exposition format 0.0.4).';
  static override readonly flags = {
    prometheus: Flags.boolean({ description: 'In the text format of Prometheus.' }),
  };
  static override readonly examples = [
    'wn stats',
    'wn stats --prometheus > /var/lib/node_exporter/wn.prom',
  ];
  static override readonly result =
    '{commits, pending, held, ops: {local, eventual, strong}, logs, devices, worknodes: {files, folders, symlinks, hidden}, conflicts, bytes: {logs, blobs, index, tree}}';

  protected async execute(): Promise<StatsResult> {
    const repository = await openRepository(this.context);
    await repository.flush();
    return collectStats(repository.replica);
  }

  protected render(result: StatsResult, out: TextOutput): void {
    if (this.flags.prometheus) renderPrometheus(result, out);
    else renderTable(result, out);
  }
}

function renderTable(stats: StatsResult, out: TextOutput): void {
  const { ops, worknodes, bytes } = stats;
  const parts = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  out.table([
    [
      'commits',
      `${stats.commits} in ${counted(stats.logs, 'log')} of ${counted(stats.devices, 'device')}`,
    ],
    ['waiting', `pending ${stats.pending}, held ${stats.held}`],
    ['operations', parts({ ...ops })],
    ['worknodes', parts({ ...worknodes })],
    ['conflicts', stats.conflicts],
    ['bytes', parts({ ...bytes })],
  ]);
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
function renderPrometheus(stats: StatsResult, out: TextOutput): void {
  const gauge = (
    name: string,
    help: string,
    values: Readonly<Record<string, number>> | number,
    label = '',
  ): void => {
    out.raw(`# HELP ${name} ${help}\n# TYPE ${name} gauge\n`);
    if (typeof values === 'number') out.raw(`${name} ${values}\n`);
    else
      for (const [key, value] of Object.entries(values))
        out.raw(`${name}{${label}="${key}"} ${value}\n`);
  };
  gauge('wn_commits', 'Commits that are folded.', stats.commits);
  gauge('wn_commits_pending', 'Commits that wait for their time or past.', stats.pending);
  gauge('wn_commits_held', 'Commits that need a newer wn.', stats.held);
  gauge('wn_operations', 'Operations by level.', { ...stats.ops }, 'level');
  gauge('wn_logs', 'Logs held.', stats.logs);
  gauge('wn_devices', 'Devices that have written.', stats.devices);
  gauge('wn_worknodes', 'Worknodes by type.', { ...stats.worknodes }, 'type');
  gauge('wn_conflicts', 'Worknodes with overlaps that nobody has resolved.', stats.conflicts);
  gauge('wn_bytes', 'Bytes on disk.', { ...stats.bytes }, 'kind');
}

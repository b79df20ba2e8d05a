/** How far this copy and its remotes are from each other, as far as is known without asking them. */
import { ago } from './ago.js';
import { counted } from './counted.js';
import type { RemoteStatus } from './remotes.js';

/** Since the last exchange that went well; infinite for a remote that was never reached. */
export function lagMs({ lastOkAt }: RemoteStatus, nowMs: number): number {
  return lastOkAt === null ? Infinity : nowMs - Date.parse(lastOkAt);
}

/**
 * What `status --check` has to say against a remote; null if nothing. With a bound on the lag
 * it may lack something for so long; without, nothing may be lacking on either side.
 */
export function complaint(
  remote: RemoteStatus,
  nowMs: number,
  maxLagMs: number | undefined,
): string | null {
  const { name, ahead, behind, lastOkAt } = remote;
  if (lastOkAt === null) return `${name} was never reached`;
  const sinceMs = lagMs(remote, nowMs);
  if (maxLagMs === undefined) return ahead + behind > 0 ? distance(remote) : null;
  return sinceMs > maxLagMs ? `${name} was last in step ${ago(sinceMs)}` : null;
}

/** For people: what is lacking, and since when. */
export function showRemote(remote: RemoteStatus, nowMs: number): string {
  const { name, ahead, behind, lastOkAt } = remote;
  if (lastOkAt === null) return `${name}: never reached, ${counted(ahead, 'commit')} to send`;
  const since = ago(lagMs(remote, nowMs));
  return ahead + behind === 0
    ? `${name}: in step ${since}`
    : `${distance(remote)}; last in step ${since}`;
}

function distance({ name, ahead, behind }: RemoteStatus): string {
  return `${name}: ${ahead} to send, ${behind} known to receive`;
}

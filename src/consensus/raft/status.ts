/** What a member tells of itself. */
import { hardStateOf, softStateOf, type Raft } from './state.js';
import type { MemberId, ProgressStatus, Status } from './types.js';

export function statusOf(r: Raft): Status {
  return {
    id: r.id,
    hardState: hardStateOf(r),
    softState: softStateOf(r),
    lastIndex: r.log.lastIndex(),
    applied: r.log.applied,
    leadTransferee: r.leadTransferee,
    confState: r.tracker.conf,
    progress: r.role === 'leader' ? progressOf(r) : new Map<MemberId, ProgressStatus>(),
  };
}

function progressOf({ tracker }: Raft): ReadonlyMap<MemberId, ProgressStatus> {
  return new Map([...tracker.progress].map(([id, progress]) => [id, progress.status()]));
}

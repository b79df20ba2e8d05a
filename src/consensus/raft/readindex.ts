/**
 * Linearizable reads by ReadIndex (thesis §6.4): the commit index as of the request, once
 * an entry of this term is committed and a quorum has confirmed that this member still leads.
 * No leases: nothing here depends on clocks.
 */
import { RAFT_READS_MAX } from '../../core/limits.js';
import { broadcastHeartbeat } from './replicate.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import type { Index, MemberId, Message, StepResult } from './types.js';

export function handleReadRequest(r: Raft, m: Message): StepResult {
  if (r.reads.count + r.earlyReads.length >= RAFT_READS_MAX) return 'tooManyReads';
  // Before that a new leader doesn't know how far its predecessors had committed.
  if (hasCommittedInTerm(r)) begin(r, m);
  else r.earlyReads.push(m);
  return 'ok';
}

function hasCommittedInTerm({ log, term }: Raft): boolean {
  return log.term(log.committed) === term;
}

/** To be called whenever the commit index has moved. */
export function releaseEarlyReads(r: Raft): void {
  if (r.earlyReads.length === 0 || !hasCommittedInTerm(r)) return;
  const requests = r.earlyReads;
  r.earlyReads = [];
  for (const request of requests) begin(r, request);
}

function begin(r: Raft, request: Message): void {
  if (r.tracker.isSingleton) {
    respond(r, request, r.log.committed);
    return;
  }
  r.reads.add(request, r.log.committed);
  r.reads.acknowledge(r.id, r.reads.asked);
  broadcastHeartbeat(r);
}

/** A member that still follows has answered the heartbeat that carried `reads`. */
export function confirmReads(r: Raft, from: MemberId, reads: number): void {
  if (reads === 0) return;
  r.reads.acknowledge(from, reads);
  for (const { request, index } of r.reads.takeConfirmed(r.tracker.conf)) {
    respond(r, request, index);
  }
}

function respond(r: Raft, { from, context }: Message, index: Index): void {
  if (from === r.id) r.readStates.push({ index, context });
  else send(r, 'MsgReadIndexResp', from, { index, context });
}

/** An overlap as `--json` tells it: what shows, and each side that lost, with its author. */
import { stamp, type Stamp } from '../core/hlc.js';
import { showId } from '../core/ids.js';
import type { Value } from '../crdt/value.js';
import { commitOf } from '../repo/frontier.js';
import type { CommitRef } from '../repo/history.js';
import type { Replica } from '../repo/replica.js';
import type { Conflict } from '../tree/conflicts.js';
import { lastPath } from '../tree/lastpath.js';
import { joinPath } from '../tree/names.js';
import { authorship, type Authorship } from './authorship.js';
import { fieldName, valueShown } from './operations.js';

export interface Lost extends Authorship {
  /** A field's value, `{size, hash}` of a whole content, a path, or `deleted`; null for none. */
  readonly value: unknown;
  /** The commit that wrote it: `wn show PATH --at COMMIT` shows it. */
  readonly commit: string | null;
}

export interface ConflictShown {
  readonly id: string;
  readonly path: string;
  /** The field's name; null where it isn't about one. */
  readonly field: string | null;
  readonly kind: Conflict['kind'];
  readonly kept: unknown;
  readonly lost: readonly Lost[];
}

/** What `--field` calls it. */
export function conflictFieldName(conflict: Conflict): string | null {
  return 'field' in conflict ? fieldName(conflict.field.path) : null;
}

export function conflictShown(replica: Replica, conflict: Conflict): ConflictShown {
  const { node, path, kind } = conflict;
  return {
    id: showId(node),
    path,
    field: conflictFieldName(conflict),
    kind,
    ...sides(replica, conflict),
  };
}

type Sides = Pick<ConflictShown, 'kept' | 'lost'>;

function sides(replica: Replica, conflict: Conflict): Sides {
  const { view } = replica;
  switch (conflict.kind) {
    case 'field':
    case 'type':
    case 'body': {
      const { value, losers } = conflict.field;
      const lost = losers.map((loser) => lostSide(replica, shown(loser.value), loser.at));
      return { kept: shown(value), lost };
    }
    case 'delete': {
      const lost = conflict.deletes.map((ref) =>
        lostSide(replica, 'deleted', stampOf(replica, ref)),
      );
      return { kept: conflict.path, lost };
    }
    case 'name': {
      const lost = conflict.others.map(({ path, node }) =>
        lostSide(replica, path, view.record(node).placed?.at ?? ''),
      );
      return { kept: conflict.path, lost };
    }
    case 'move': {
      const lost = conflict.moves.map(({ parent, name, at }) =>
        lostSide(replica, joinPath(lastPath(view, parent), name), at),
      );
      return { kept: conflict.path, lost };
    }
  }
}

function shown(value: Value | undefined): unknown {
  return value === undefined ? null : valueShown(value);
}

function lostSide(replica: Replica, value: unknown, at: Stamp): Lost {
  const { history } = replica;
  const ref = commitOf(history, at);
  const commit = ref === null ? undefined : history.record(ref)?.id;
  return {
    value,
    ...authorship(replica, at),
    commit: commit === undefined ? null : showId(commit),
  };
}

function stampOf({ history }: Replica, ref: CommitRef): Stamp {
  return stamp(history.record(ref)?.hlc ?? 0n, ref.log);
}

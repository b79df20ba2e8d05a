/**
 * What accepted entries of the strong log do, as the layers that show it need to know:
 * `consensus` decides them, `repo` lays them over the fold, neither imports the other.
 */
import type { Canonical } from './canonical.js';
import type { DeviceId, NodeId } from './ids.js';
import type { FieldPath, NodeType } from './op.js';

export type StrongEffect =
  /** `value` is whole, of the field type numbered `type`; undefined: unset. */
  | {
      readonly effect: 'set';
      readonly node: NodeId;
      readonly path: FieldPath;
      readonly type: number;
      readonly value: Canonical | undefined;
    }
  | {
      readonly effect: 'created';
      readonly node: NodeId;
      readonly parent: NodeId;
      readonly name: string;
      readonly type: NodeType;
    }
  | { readonly effect: 'deleted'; readonly node: NodeId }
  /** The field keeps its value; writes whose author knew this count again. */
  | { readonly effect: 'released'; readonly node: NodeId; readonly path: FieldPath }
  /** Made, or renewed for the `renewal`th time; `token` is the index of the entry that made it. */
  | {
      readonly effect: 'claimed';
      readonly node: NodeId;
      readonly token: number;
      readonly owner: DeviceId;
      readonly leaseMs: number;
      readonly renewal: number;
    }
  | { readonly effect: 'ended'; readonly node: NodeId; readonly token: number };

/** The effects of one accepted entry. */
export interface StrongChange {
  readonly index: number;
  /** Time of the request. */
  readonly hlc: bigint;
  /** The leader's wall clock, milliseconds. */
  readonly timeMs: number;
  readonly effects: readonly StrongEffect[];
}

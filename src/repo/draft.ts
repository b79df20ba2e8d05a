/**
 * A change being put together: ops in groups that stay within what one commit should
 * hold. Worknode ids are known as soon as they are created here, because they depend
 * only on the device, the group's salt and the op's place in it.
 */
import type { Canonical } from '../core/canonical.js';
import { utf8 } from '../core/bytes.js';
import { encodeGroup, type Group, type GroupForm } from '../core/commit.js';
import { nodeId, type DeviceId, type NodeId } from '../core/ids.js';
import { GROUP_BYTES_TARGET, GROUP_OPS_TARGET } from '../core/limits.js';
import { isControl, type NodeType, type Op } from '../core/op.js';
import type { Rng } from '../core/ports.js';

export interface EncodedGroup {
  readonly group: Group;
  readonly bytes: Uint8Array;
  readonly ops: number;
  readonly form: GroupForm;
}

const SALT_BYTES = 16;

export class Draft {
  private readonly full: EncodedGroup[] = [];
  private readonly control: Op[] = [];
  private salt: Uint8Array;
  private ops: Op[] = [];
  private bytes = 0;
  private count = 0;

  constructor(
    private readonly device: DeviceId,
    private readonly rng: Rng,
    readonly message: string | null,
  ) {
    this.salt = rng.bytes(SALT_BYTES);
  }

  /** Count of ops so far. */
  get size(): number {
    return this.count;
  }

  add(op: Op): void {
    this.count += 1;
    if (isControl(op)) {
      this.control.push(op);
      return;
    }
    const bytes = roughBytes(op);
    if (
      this.ops.length > 0 &&
      (this.ops.length >= GROUP_OPS_TARGET || this.bytes + bytes > GROUP_BYTES_TARGET)
    ) {
      this.roll();
    }
    this.ops.push(op);
    this.bytes += bytes;
  }

  create(parent: NodeId, name: string, type: NodeType): NodeId {
    this.add({ op: 'create', parent, name, type });
    return nodeId(this.device, this.salt, this.ops.length - 1, parent);
  }

  private roll(): void {
    if (this.ops.length === 0) return;
    this.full.push(this.encode(this.salt, this.ops, 'plain', null));
    this.salt = this.rng.bytes(SALT_BYTES);
    this.ops = [];
    this.bytes = 0;
  }

  private encode(
    salt: Uint8Array,
    ops: readonly Op[],
    form: GroupForm,
    msg: string | null,
  ): EncodedGroup {
    const group: Group = { salt, scope: null, msg, ops };
    return { group, bytes: encodeGroup(group), ops: ops.length, form };
  }

  /** The ops so far that change worknodes. */
  *planned(): Iterable<Op> {
    for (const { group } of this.full) yield* group.ops;
    yield* this.ops;
  }

  /** The groups of each commit that this change takes; the message stands in the last. */
  commits(): readonly (readonly EncodedGroup[])[] {
    const last: EncodedGroup[] = [];
    if (this.control.length > 0) {
      last.push(this.encode(this.rng.bytes(SALT_BYTES), this.control, 'control', null));
    }
    if (this.ops.length > 0 || this.message !== null || this.control.length === 0) {
      last.push(this.encode(this.salt, this.ops, 'plain', this.message));
    }
    return [...this.full.map((group) => [group]), last];
  }
}

const SMALL_OP_BYTES = 96;

/** About how long an op's encoding is; never much less than it is. */
function roughBytes(op: Op): number {
  if (op.op === 'field') return SMALL_OP_BYTES + roughValueBytes(op.arg);
  if (op.op !== 'text') return SMALL_OP_BYTES + ('name' in op ? op.name.length * 3 : 0);
  return op.runs.reduce(
    (sum, [, what]) => sum + 10 + (typeof what === 'string' ? utf8(what).byteLength : 0),
    SMALL_OP_BYTES,
  );
}

const HEAD_BYTES_MAX = 9;

function roughValueBytes(value: Canonical): number {
  if (typeof value === 'string') return HEAD_BYTES_MAX + value.length * 3;
  if (typeof value !== 'object' || value === null) return HEAD_BYTES_MAX;
  if (value instanceof Uint8Array) return HEAD_BYTES_MAX + value.byteLength;
  let bytes = HEAD_BYTES_MAX;
  if (value instanceof Map) {
    for (const [name, item] of value as ReadonlyMap<string, Canonical>) {
      bytes += roughValueBytes(name) + roughValueBytes(item);
    }
  } else {
    for (const item of value as readonly Canonical[]) bytes += roughValueBytes(item);
  }
  return bytes;
}

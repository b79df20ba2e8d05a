/**
 * Values of fields: canonical data without bigints, so that every value prints as JSON
 * (bytes aside) and every number has one form. Leaves out how types merge them.
 */
import type { Canonical } from './canonical.js';
import { WnError } from './errors.js';
import { VALUE_DEPTH_MAX } from './limits.js';

export type Value =
  null | boolean | number | string | Uint8Array | readonly Value[] | ReadonlyMap<string, Value>;

/** Throws `invalid` for what no field holds; an op that carries it counts as nothing. */
export function asValue(value: Canonical | undefined): Value {
  checkValue(value, 0);
  return value as Value;
}

function checkValue(value: unknown, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (value instanceof Uint8Array) return;
  const parts = Array.isArray(value) ? value : value instanceof Map ? value.values() : null;
  if (parts === null) throw new WnError('invalid', 'a kind of value that no field holds');
  if (depth === VALUE_DEPTH_MAX) {
    throw new WnError('invalid', `a field value nested deeper than ${VALUE_DEPTH_MAX}`);
  }
  for (const part of parts) checkValue(part, depth + 1);
}

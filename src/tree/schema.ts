/**
 * A workspace's schema: which types of worknode there are, which fields they have, how
 * those merge and which values they take. It guides commands and what a list in front
 * matter is taken for; what an op means stands in the op, so devices with different
 * schemas agree on state. Leaves out reading `wn.yaml` (`schema-text.ts`).
 */
import { WnError } from '../core/errors.js';
import { asField, type Crdt, type Field, type FieldShown, type FieldValue } from './field.js';
import { badStep, crdtOfKind, refusal, type FieldSpec } from './fieldspec.js';
import type { Patterns } from './patterns.js';
import { flowText } from './yaml-text.js';

export interface TypeSpec {
  readonly name: string;
  readonly patterns: Patterns;
  readonly fields: ReadonlyMap<string, FieldSpec>;
  readonly merge: 'text' | 'whole' | undefined;
}

/** The types in the order of the file. */
export class Schema {
  constructor(readonly types: readonly TypeSpec[]) {}

  /** The first type whose pattern matches a path. */
  typeOf(path: string): TypeSpec | null {
    if (path === '') return null;
    return this.types.find((type) => type.patterns.match(path, false) === true) ?? null;
  }

  /** Throws `not_found` for a name that the schema doesn't have. */
  typeNamed(name: string): TypeSpec {
    const found = this.types.find((type) => type.name === name);
    if (found !== undefined) return found;
    const known = this.types.map((type) => type.name).join(', ');
    throw new WnError('not_found', `wn.yaml declares no type ${name}; nothing was changed`, {
      hint: known === '' ? 'Declare it in wn.yaml.' : `It declares: ${known}.`,
    });
  }

  mergeOf(path: string): 'text' | 'whole' | undefined {
    return this.typeOf(path)?.merge;
  }

  /** The declaration of a field of the worknode at `path`, or of the type `type` if given. */
  fieldOf(path: string, type: string | null, key: string): FieldSpec | null {
    const spec = type === null ? this.typeOf(path) : this.typeNamed(type);
    return spec?.fields.get(key) ?? null;
  }

  /** How a declared field merges; null where the schema says nothing. */
  crdtOf(path: string, key: string): Crdt | null {
    const spec = this.fieldOf(path, null, key);
    return spec === null ? null : crdtOfKind(spec.kind);
  }

  /** What a new worknode starts with. */
  defaultsOf(path: string, type: string | null): ReadonlyMap<string, Field> {
    const spec = type === null ? this.typeOf(path) : this.typeNamed(type);
    const fields = new Map<string, Field>();
    for (const [key, field] of spec?.fields ?? []) {
      if (field.default !== null) fields.set(key, asField(field.default, crdtOfKind(field.kind)));
    }
    return fields;
  }

  /** Throws `invalid` for a value that the declaration refuses; the hint says what it takes. */
  check(
    path: string,
    type: string | null,
    key: string,
    value: FieldValue,
    before: FieldShown | undefined,
  ): void {
    const spec = this.fieldOf(path, type, key);
    if (spec === null) return;
    const old = before === undefined || before === 'unset' ? null : before.value;
    const allowed = refusal(spec, value) ?? (old === null ? null : badStep(spec, old, value));
    if (allowed === null) return;
    throw new WnError('invalid', `${key} can't be ${flowText(value)}; nothing was changed`, {
      hint: `wn.yaml allows ${allowed}.`,
    });
  }
}

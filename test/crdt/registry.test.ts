import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCanonical, encodeCanonical } from '../../src/core/canonical.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { CBOR_DEPTH_MAX, VALUE_DEPTH_MAX } from '../../src/core/limits.js';
import type { FieldPath } from '../../src/core/op.js';
import { counter } from '../../src/crdt/counter.js';
import { register, unset, write } from '../../src/crdt/register.js';
import {
  applyField,
  decodeFields,
  emptyFields,
  encodeFields,
  FIELD_TYPES,
  fieldState,
  fieldType,
  fieldTypeNamed,
  pathKey,
  shownFields,
  type AnyFieldType,
  type FieldsState,
} from '../../src/crdt/registry.js';
import { add, remove, set } from '../../src/crdt/set.js';
import type { Value } from '../../src/crdt/value.js';
import { log, play, spell, steps } from './histories.js';
import { SUBJECTS } from './subjects.js';

const at = (time: number, device = 0): Stamp => stamp(BigInt(time), log(device));
const STATUS: FieldPath = ['status'];

function apply(
  fields: FieldsState,
  path: FieldPath,
  type: AnyFieldType,
  arg: unknown,
  stamped: Stamp,
): FieldsState {
  const own = stamped.slice(16);
  const after = applyField(fields, path, type.number, type.encode(arg, own), own, stamped);
  assert(after !== null, 'a known type');
  return after;
}

function hasLosers(fields: FieldsState): boolean {
  return shownFields(fields).some((field) => field.losers.length > 0);
}

/** All that a reader sees, spelled out. */
function shown(fields: FieldsState): unknown {
  return shownFields(fields).map(({ path, type, value, at: when, losers }) => ({
    path,
    type: type.name,
    value: spell(value),
    at: when,
    losers: losers.map((loser) => [loser.type.name, spell(loser.value), loser.at]),
  }));
}

describe('registry', () => {
  it('numbers and names are those of the format, each once', () => {
    const listed = FIELD_TYPES.map((type) => [type.number, type.name]);
    assert.deepEqual(listed, [
      [0, 'register'],
      [1, 'set'],
      [2, 'counter'],
    ]);
    for (const type of FIELD_TYPES) {
      assert.equal(fieldType(type.number), type);
      assert.equal(fieldTypeNamed(type.name), type);
    }
  });

  it('holds an op of a type that it does not know', () => {
    assert.equal(fieldType(99), undefined);
    assert.equal(fieldTypeNamed('constructor'), undefined);
    assert.equal(applyField(emptyFields(), STATUS, 99, 'anything', log(0), at(1)), null);
  });

  it('throws for an argument that the type cannot read, and changes nothing', () => {
    const before = apply(emptyFields(), STATUS, register, write(register.empty(), 'x'), at(1));
    const kept = spell(encodeFields(before));
    assert.throws(() => applyField(before, STATUS, 0, 'no list', log(0), at(2)), /not a list/);
    assert.equal(spell(encodeFields(before)), kept);
  });

  it('keeps paths apart that look alike', () => {
    const paths: FieldPath[] = [['a', 'b'], ['a.b'], ['a,b'], ['a","b'], [0], ['0'], ['__proto__']];
    let fields = emptyFields();
    paths.forEach((path, index) => {
      fields = apply(fields, path, counter, index + 1, at(index + 1));
    });
    assert.equal(new Set(paths.map(pathKey)).size, paths.length);
    for (const [index, path] of paths.entries()) {
      const field = shownFields(fields).find((each) => pathKey(each.path) === pathKey(path));
      assert.deepEqual([field?.path, field?.value], [path, index + 1]);
    }
  });

  describe('where several types were written at one path', () => {
    const asText = apply(emptyFields(), STATUS, register, write(register.empty(), 'ci'), at(1));
    const both = apply(asText, STATUS, set, add(['bug']), at(2));

    it('shows the newest and lists the others', () => {
      assert.deepEqual(shown(both), [
        {
          path: STATUS,
          type: 'set',
          value: spell(['bug']),
          at: at(2),
          losers: [['register', spell('ci'), at(1)]],
        },
      ]);
      assert.equal(hasLosers(asText), false);
      assert.equal(hasLosers(both), true);
    });

    it('shows an older type again once it is written again', () => {
      const again = write(fieldState(both, STATUS, register), 'done');
      const [field] = shownFields(apply(both, STATUS, register, again, at(3)));
      assert.equal(field?.value, 'done');
      assert.deepEqual(field.losers, [{ type: set, value: ['bug'], at: at(2) }]);
    });

    it('lists nothing for a type that was cleared', () => {
      const cleared = unset(fieldState(both, STATUS, register));
      const relabelled = apply(
        apply(both, STATUS, register, cleared, at(3)),
        STATUS,
        set,
        add(['ci']),
        at(4),
      );
      assert.equal(hasLosers(relabelled), false);
      const emptied = remove(fieldState(both, STATUS, set), ['bug']);
      const written = apply(
        apply(both, STATUS, set, emptied, at(3)),
        STATUS,
        register,
        write(fieldState(both, STATUS, register), 'x'),
        at(4),
      );
      assert.equal(hasLosers(written), false);
    });

    it('lists what a hidden unset beat, and not the unset', () => {
      const gone = apply(asText, STATUS, register, unset(register.empty()), at(2, 1));
      const [field] = shownFields(apply(gone, STATUS, counter, 1, at(3)));
      assert.deepEqual(field?.losers, [{ type: register, value: 'ci', at: at(1) }]);
    });

    it('lists concurrent losers of the hidden type too, newest first', () => {
      const rival = apply(asText, STATUS, register, write(register.empty(), 'cd'), at(1, 1));
      const [field] = shownFields(apply(rival, STATUS, counter, 1, at(2)));
      assert.deepEqual(
        field?.losers.map((loser) => loser.value),
        ['cd', 'ci'],
      );
    });
  });

  it('shows an unset field as such: its path stays, without a value', () => {
    const once = apply(emptyFields(), STATUS, register, write(register.empty(), 'x'), at(1));
    const gone = apply(once, STATUS, register, unset(fieldState(once, STATUS, register)), at(2));
    const [field] = shownFields(gone);
    assert.deepEqual([field?.value, field?.at, field?.losers], [undefined, at(2), []]);
  });

  it('keeps the fields of a worknode in the index, whatever they went through', () => {
    let conflicts = 0;
    const paths: readonly FieldPath[] = [[0], ['a'], ['a', 'b']];
    fc.assert(
      fc.property(fc.array(steps, { minLength: 3, maxLength: 3 }), (scripts) => {
        let fields = emptyFields();
        FIELD_TYPES.forEach((type, index) => {
          const subject = SUBJECTS.get(type.name);
          assert(subject !== undefined, type.name);
          for (const op of play(subject, scripts[index] ?? [])) {
            const path = paths[op.index % paths.length] ?? STATUS;
            fields = apply(fields, path, type, op.arg, op.at);
          }
        });
        if (hasLosers(fields)) conflicts++;
        const kept = decodeCanonical(encodeCanonical(encodeFields(fields)));
        assert.deepEqual(shown(decodeFields(kept)), shown(fields));
        assert.equal(spell(encodeFields(decodeFields(kept))), spell(kept));
      }),
      { numRuns: 100 },
    );
    assert(conflicts > 50, `only ${conflicts} with conflicts`);
  });

  it('has room for the deepest value in a group and in an index record', () => {
    let deep: Value = 'x';
    for (let depth = 0; depth < VALUE_DEPTH_MAX; depth++) deep = [deep];
    const both = add([deep]);
    let fields = apply(emptyFields(), STATUS, register, write(register.empty(), deep), at(1));
    fields = apply(fields, STATUS, set, both, at(2));
    const record = encodeCanonical([encodeFields(fields)]);
    assert.deepEqual(
      shown(decodeFields((decodeCanonical(record) as never[])[0] ?? null)),
      shown(fields),
    );
    const removal = set.encode(remove(fieldState(fields, STATUS, set), [deep]), log(0));
    const group = encodeCanonical([[[4, new Uint8Array(16), STATUS, 1, removal]]]);
    decodeCanonical(group);
    assert.equal(CBOR_DEPTH_MAX, 16);
  });

  it('refuses an index record of a type that it does not know', () => {
    assert.throws(() => decodeFields([['["a"]', 99, null]]), /unknown type/);
  });
});

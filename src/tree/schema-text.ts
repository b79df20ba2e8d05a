/**
 * Reads `wn.yaml`. Every mistake is named with its line and column; a key that isn't
 * known is one, since a misspelt `transitoins:` would otherwise allow everything.
 */
import { isMap, isScalar, isSeq, type Pair } from 'yaml';
import { WnError } from '../core/errors.js';
import { isFieldKey, isList, type FieldValue } from './field.js';
import { FIELD_KINDS, refusal, type FieldSpec } from './fieldspec.js';
import { compilePatterns, isBounded } from './patterns.js';
import { Schema, type TypeSpec } from './schema.js';
import { keyText, nodeValue, parseYaml, plainValue } from './yaml.js';
import { flowText } from './yaml-text.js';

/** A value in the file, for its text and for saying where it stands. */
interface Node {
  readonly source: string;
  readonly node: unknown;
  readonly at: number;
}

/** Throws `invalid` for text that is no schema. Empty text declares no types. */
export function parseSchema(text: string): Schema {
  const source = text.replace(/^\ufeff/, '');
  const parsed = parseYaml(source);
  if (!parsed.ok) throw broken({ source, node: null, at: parsed.at }, parsed.why);
  const top: Node = { source, node: parsed.doc.contents, at: 0 };
  if (top.node === null) return new Schema([]);
  const types = entriesOf(top, 'wn.yaml', ['types']).get('types');
  if (types === undefined) return new Schema([]);
  return new Schema([...entriesOf(types, 'types')].map(([name, node]) => readType(name, node)));
}

function readType(name: string, node: Node): TypeSpec {
  const parts = entriesOf(node, `type ${name}`, ['match', 'fields', 'merge']);
  const match = parts.get('match');
  if (match === undefined) throw broken(node, `type ${name} needs \`match: "tasks/**/*.md"\``);
  const merge = parts.get('merge');
  const fields = parts.get('fields');
  const declared = fields === undefined ? [] : [...entriesOf(fields, `fields of ${name}`)];
  return {
    name,
    patterns: compilePatterns(readPatterns(match)),
    fields: new Map(declared.map(([key, spec]) => [key, readField(`${name}.${key}`, key, spec)])),
    merge: merge === undefined ? undefined : oneOf(merge, 'merge', ['text', 'whole'] as const),
  };
}

function readPatterns(node: Node): readonly string[] {
  const value = valueOf(node, 'match');
  const patterns = isList(value) ? value : [value];
  return patterns.map((pattern) => {
    if (typeof pattern !== 'string' || pattern === '') throw broken(node, 'match is no pattern');
    if (pattern.includes('{')) throw broken(node, 'match knows no braces; give a list of patterns');
    if (!isBounded(pattern)) throw broken(node, `the pattern ${pattern} would take too long`);
    return pattern;
  });
}

function readField(what: string, key: string, node: Node): FieldSpec {
  if (!isFieldKey(key)) throw broken(node, 'a field can not have this name');
  const known = ['type', 'values', 'transitions', 'default', 'strong'];
  const parts = entriesOf(node, what, known);
  const [kind, values, transitions] = ['type', 'values', 'transitions'].map((k) => parts.get(k));
  const strong = parts.get('strong');
  const preset = parts.get('default');
  const spec: FieldSpec = {
    kind: kind === undefined ? 'register' : oneOf(kind, `type of ${what}`, FIELD_KINDS),
    values: values === undefined ? null : listOf(values, `values of ${what}`),
    transitions: transitions === undefined ? new Map() : readTransitions(what, transitions),
    default: preset === undefined ? null : valueOf(preset, `default of ${what}`),
    strong: strong !== undefined && booleanOf(strong, `strong of ${what}`),
  };
  const allowed = refusal(spec, spec.default);
  if (preset !== undefined && spec.default !== null && allowed !== null) {
    throw broken(preset, `default of ${what} is ${flowText(spec.default)}, not ${allowed}`);
  }
  return spec;
}

function readTransitions(what: string, node: Node): ReadonlyMap<string, readonly FieldValue[]> {
  const steps = [...entriesOf(node, `transitions of ${what}`)];
  return new Map(
    steps.map(([from, to]) => [flowText(plainValue(from)), listOf(to, `transitions of ${what}`)]),
  );
}

/** A mapping's values by key; throws for one that isn't in `known`, or comes twice. */
function entriesOf(
  { source, node, at }: Node,
  what: string,
  known?: readonly string[],
): ReadonlyMap<string, Node> {
  if (!isMap<unknown, unknown>(node)) throw broken({ source, node, at }, `${what} is no mapping`);
  const entries = new Map<string, Node>();
  for (const pair of node.items) {
    const key = keyText(pair.key);
    const here: Node = { source, node: pair.value, at: startOf(pair) };
    if (key === undefined) throw broken(here, `a key of ${what} is no word`);
    if (entries.has(key)) throw broken(here, `${what} has ${key} twice`);
    if (known !== undefined && !known.includes(key)) {
      throw broken(here, `${what} has no \`${key}\`; it has ${known.join(', ')}`);
    }
    entries.set(key, here);
  }
  return entries;
}

function startOf({ key, value }: Pair<unknown, unknown>): number {
  const node = isScalar(value) || isMap(value) || isSeq(value) ? value : key;
  return (node as { range?: readonly number[] | null }).range?.[0] ?? 0;
}

function valueOf(node: Node, what: string): FieldValue {
  const value = nodeValue(node.node);
  if (value === undefined) throw broken(node, `${what} is nothing that a field can hold`);
  return value;
}

function listOf(node: Node, what: string): readonly FieldValue[] {
  const value = valueOf(node, what);
  if (!isList(value)) throw broken(node, `${what} is no list`);
  return value;
}

function booleanOf(node: Node, what: string): boolean {
  const value = valueOf(node, what);
  if (typeof value !== 'boolean') throw broken(node, `${what} is neither true nor false`);
  return value;
}

function oneOf<Word extends string>(node: Node, what: string, words: readonly Word[]): Word {
  const value = valueOf(node, what);
  const word = words.find((each) => each === value);
  if (word === undefined) throw broken(node, `${what} is none of ${words.join(', ')}`);
  return word;
}

function broken({ source, at }: Node, why: string): WnError {
  const before = source.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new WnError('invalid', `wn.yaml:${before.length}:${column}: ${why}`, {
    hint: 'Nothing was changed; mend wn.yaml.',
  });
}

/**
 * Reading YAML 1.2 (core schema) from files that anybody may have written: the `yaml`
 * library behind a check of size and nesting, because deep input exhausts its stack and
 * V8 then ends the process. Values come out as fields hold them; what a field can't hold
 * (anchors, aliases, tags, keys that aren't text) has no value here. Leaves out writing
 * (`yaml-text.ts`) and where front matter stands (`frontmatter.ts`).
 */
import { isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';
import {
  VALUE_DEPTH_MAX,
  YAML_BRACKETS_MAX,
  YAML_CHARS_MAX,
  YAML_INDENT_MAX,
  YAML_INDICATORS_MAX,
} from '../core/limits.js';
import type { FieldValue, Scalar } from './field.js';

export type ParsedYaml =
  | { readonly ok: true; readonly doc: Document.Parsed }
  /** `at`: where in the source, in UTF-16 units. */
  | { readonly ok: false; readonly why: string; readonly at: number };

/** Parses one document. Duplicate keys are let through; the caller sees both. */
export function parseYaml(source: string): ParsedYaml {
  const why = tooComplex(source);
  if (why !== null) return { ok: false, why, at: 0 };
  const doc = parseDocument(source, {
    schema: 'failsafe',
    uniqueKeys: false,
    keepSourceTokens: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  const error = doc.errors[0];
  if (error !== undefined) return { ok: false, why: error.message, at: error.pos[0] };
  return { ok: true, doc };
}

const DEEP_INDENT = new RegExp(`^[ \\t?:-]{${YAML_INDENT_MAX + 1}}`, 'm');

/**
 * Nesting comes from brackets, from indicators in one line, and from indentation; each
 * is counted without regard to quotes, so that nothing is missed.
 */
function tooComplex(source: string): string | null {
  if (source.length > YAML_CHARS_MAX) return `over ${YAML_CHARS_MAX} characters of YAML`;
  if (DEEP_INDENT.test(source)) return `a line indented by over ${YAML_INDENT_MAX}`;
  let brackets = 0;
  let indicators = 0;
  for (let index = 0; index < source.length; index++) {
    const char = source[index];
    if (char === '\n') indicators = 0;
    else if (char === '[' || char === ']' || char === '{' || char === '}') brackets++;
    else if (char === ':' || char === '-' || char === '?') {
      const next = source[index + 1];
      if (next === ' ' || next === '\t') indicators++;
    }
    if (indicators > YAML_INDICATORS_MAX) return `over ${YAML_INDICATORS_MAX} keys in one line`;
  }
  return brackets > 2 * YAML_BRACKETS_MAX ? `over ${YAML_BRACKETS_MAX} lists and maps` : null;
}

const INTEGER = /^[-+]?[0-9]+$/;
const BASED_INTEGER = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const NUMBER_CHARS_MAX = 64;

/**
 * What a plain (unquoted) scalar means, YAML 1.2.2 §10.3.2, with this difference: what
 * isn't finite, and an integer beyond 2^53, is a string, so that no digit of it is lost.
 */
export function plainValue(source: string): Scalar {
  switch (source) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
  }
  if (source.length > NUMBER_CHARS_MAX) return source;
  const isInteger = INTEGER.test(source) || BASED_INTEGER.test(source);
  if (!isInteger && !FLOAT.test(source)) return source;
  const number = Number(source);
  if (isInteger ? !Number.isSafeInteger(number) : !Number.isFinite(number)) return source;
  return number === 0 ? 0 : number;
}

/** The value of a node; undefined for what a field can't hold. */
export function nodeValue(node: unknown, depth = 0): FieldValue | undefined {
  if (node === null) return null;
  if (!isPlainNode(node)) return undefined;
  if (isScalar(node)) {
    const text = typeof node.value === 'string' ? node.value : '';
    return node.type === 'PLAIN' ? plainValue(text) : text;
  }
  if (depth === VALUE_DEPTH_MAX) return undefined;
  if (isSeq(node)) {
    const list: FieldValue[] = [];
    for (const item of node.items) {
      const value = nodeValue(item, depth + 1);
      if (value === undefined) return undefined;
      list.push(value);
    }
    return list;
  }
  if (!isMap(node)) return undefined;
  const map = new Map<string, FieldValue>();
  for (const pair of node.items) {
    const key = keyText(pair.key);
    const value = nodeValue(pair.value, depth + 1);
    if (key === undefined || value === undefined || map.has(key)) return undefined;
    map.set(key, value);
  }
  return map;
}

/** A key as text: `1` and `"1"` are one key, whatever a plain scalar would mean. */
export function keyText(node: unknown): string | undefined {
  return isPlainNode(node) && isScalar(node) && typeof node.value === 'string'
    ? node.value
    : undefined;
}

/** No alias, and neither anchor nor tag on it. */
function isPlainNode(node: unknown): node is Node {
  if (!isScalar(node) && !isSeq(node) && !isMap(node)) return false;
  return node.anchor === undefined && node.tag === undefined;
}

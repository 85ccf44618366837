import fc from 'fast-check';
import type { Schema } from './document.ts';
import { changedAt, type Place, placesOf, pointerOf, textOf, Twice, valueAt, Verbatim } from './json-text.ts';

/** What is likely to be taken in a field of this name, such as the ids of things that exist. */
export type Usual = (name: string) => readonly unknown[];

export interface FittingOptions {
  readonly root: object;
  readonly usual: Usual;
  /** Also text that a schema takes and no database does. */
  readonly odd: boolean;
  readonly name?: string;
}

/** Text that has broken a parser, a database or a log somewhere. */
const oddTexts = [
  '', ' ', '\u0000', 'a\u0000b', '\ud800', 'x\udfffy', '\uffff\ufffe', '\u202eabc', '\u0007\u001b[31m', '\r\nx-injected: 1', '%00', '../../etc/passwd', '${7*7}', '\'); DROP TABLE event; --', '<script>', 'null', 'undefined', '__proto__',
  'NaN', '-0', '1e400', '😀'.repeat(50), '\u0301'.repeat(60), 'ﷺ', 'é'.normalize('NFD'), 'x'.repeat(300), 'y'.repeat(70_000), 'a.'.repeat(5_000), '0000-00-00', '0000-01-01', '0000-01-01T00:00:00.000Z', '0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.000Z', '-000001-01-01T00:00:00.000Z', '9999-12-31', '9999-12-31T23:59:59.999Z', '2026-02-30', '2026-11-24T25:00:00Z', '2026-11-24T10:00:00+01:00', '2026-11-24T10:00:60Z', '00000000-0000-0000-0000-000000000000',
] as const;

const oddNumbers = ['1e400', '-1e400', '1e-400', '-0', '0.1', '-1', '2147483648', '9007199254740993', '123456789012345678901234567890', '1E2'].map((text) => new Verbatim(text));
const oddObjects = ['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"x":1}}}', '{"toString":null,"hasOwnProperty":1}', '{"length":-1}', '{"":0}', '{"\\u0000":1}', '{"a":1,"a":2}'].map((text) => new Verbatim(text));

const oddText = fc.oneof(fc.constantFrom(...oddTexts), fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));

/** Anything that JSON can say, and what it says that JavaScript cannot. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: oddText }, { weight: 2, arbitrary: fc.constantFrom<unknown>(...oddNumbers, ...oddObjects) }, { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, [], {}, [[]], [null]) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) }, { weight: 1, arbitrary: fc.integer({ min: 60, max: 400 }).map((depth) => new Verbatim(`${'['.repeat(depth)}${']'.repeat(depth)}`)) },
);

/** Values that a schema takes, its edges among them, and mostly the usual ones where a field has such. */
export function fitting(schema: Schema, options: FittingOptions): fc.Arbitrary<unknown> {
  const usual = schema.type === 'array' || schema.type === 'object' ? [] : options.usual(options.name ?? '');
  const free = anyFitting(schema, options);
  return usual.length > 0 ? fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: free }) : free;
}

function anyFitting(schema: Schema, options: FittingOptions): fc.Arbitrary<unknown> {
  const inner = (next: Schema, name = options.name) => fitting(next, { ...options, ...(name === undefined ? {} : { name }) });
  if (typeof schema.$ref === 'string') return inner(resolve(schema.$ref, options.root));
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum as unknown[]);
  const alternatives = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (alternatives) return fc.oneof(...alternatives.map((alternative) => inner(alternative)));
  const { minimum: min = -1000, maximum: max = 1000 } = schema as { minimum?: number; maximum?: number };
  switch (schema.type) {
    case 'boolean': return fc.boolean();
    case 'integer': return fc.oneof(fc.constantFrom(min, max), fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) }));
    case 'number': return fc.double({ min, max, noNaN: true });
    case 'array': {
      const { minItems = 0, maxItems = 10 } = schema as { minItems?: number; maxItems?: number };
      return fc.array(inner(schema.items as Schema), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 3) });
    }
    case 'object': {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
      return fc.record(Object.fromEntries(properties.map(([name, property]) => [name, inner(property, name)])), { requiredKeys: [...(schema.required ?? []) as string[]] });
    }
    default: return fittingText(schema, options);
  }
}

function fittingText(schema: Schema, { odd }: FittingOptions): fc.Arbitrary<unknown> {
  const patterns = [schema, ...(schema.allOf ?? []) as Schema[]].flatMap(({ pattern }) => (typeof pattern === 'string' ? [pattern] : []));
  return patterns.length > 0 ? matching(patterns[0]!, schema) : bounded(schema, odd);
}

function bounded(schema: Schema, odd: boolean): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = 100 } = schema as { minLength?: number; maxLength?: number };
  const text = fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 30) }), oddText.map((found) => found.slice(0, maxLength).padEnd(minLength, 'x')), fc.constant('x'.repeat(Math.min(maxLength, 9_000))),
  );
  return odd ? text : text.map((found) => found.toWellFormed().replaceAll('\0', '_'));
}

function matching(pattern: string, schema: Schema): fc.Arbitrary<string> {
  if (pattern.includes('[13579][26]')) {
    const instants = fc.oneof(
      fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom('2026-11-24T10:00:00Z', '2026-11-24T10:00:00.123456789Z', '2000-02-29T00:00:00Z', '2199-12-31T23:59:59.999Z', '0000-01-01T00:00:00.000Z', '0001-01-01T00:00:00Z', '1899-12-31T23:59:59Z', '9999-12-31T23:59:59.999Z'),
    );
    return pattern.includes('T(') ? instants : instants.map((instant) => instant.slice(0, 10));
  }
  if (pattern.includes('@')) return fc.constantFrom('desk@example.org', 'a+b@sub.example.org', `${'a'.repeat(64)}@example.org`);
  if (pattern.includes('8}-[0-9a-fA-F]')) return fc.uuid({ version: 4 });
  return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(Number(schema.maxLength ?? 60), 60) });
}

export interface Body { readonly text: string; /** Where it was made wrong, as far as that is one place. */ readonly pointer?: string }

/** A body that fits, with one thing changed at one place: another value, a key less, a key more, a key twice, far too much of it. */
export function mutated(valid: fc.Arbitrary<unknown>): fc.Arbitrary<Body> {
  const change = fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'twice', 'wrap', 'crowd');
  const names = fc.constantFrom('admin', '__proto__', 'constructor', 'id', 'x'.repeat(200), '\u0000', '', 'organisationId', 'status', 'a/b~c');
  return fc.tuple(valid, fc.nat(), change, anything, names).map(([value, at, how, other, name]) => {
    const places = placesOf(value);
    const place = places[at % places.length]!;
    const [made, where] = changed(value, place, { how, other, name });
    return { text: textOf(made), pointer: pointerOf(where) };
  });
}

function changed(value: unknown, place: Place, { how, other, name }: { how: string; other: unknown; name: string }): [made: unknown, where: Place] {
  const here = valueAt(value, place);
  const isObject = typeof here === 'object' && here !== null && !Array.isArray(here);
  if (how === 'remove' && place.length > 0) return [changedAt(value, place, undefined), place];
  if (how === 'add' && isObject) return [changedAt(value, [...place, name], other), [...place, name]];
  if (how === 'twice' && isObject) return [changedAt(value, place, new Twice(here as Record<string, unknown>, Object.keys(here)[0] ?? 'x', other)), place];
  if (how === 'wrap') return [changedAt(value, place, [here]), place];
  if (how === 'crowd' && Array.isArray(here)) return [changedAt(value, place, Array.from({ length: 2_000 }, (_, index) => here[index % Math.max(1, here.length)] ?? index)), place];
  return [changedAt(value, place, other), place];
}

/** Text that is no JSON, or no JSON that anybody should send. */
export const broken: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.constantFrom<string | Buffer>('{', '{"a":}', '{"a":1,}', '[1,2', 'nul', '\'{}\'', '{a:1}', 'NaN', '{"a":Infinity}', '\u0000', '{"a":"\u0001"}', '{"a":"\\x41"}', '{} {}', '// x\n{}', Buffer.from([0xff, 0xfe, 0x7b, 0x7d]), Buffer.from('{"x":"\xff"}', 'latin1'), Buffer.from('{"\xc0\xaf":1}', 'latin1'), '['.repeat(50_000)),
  fc.integer({ min: 65, max: 2_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => { try { JSON.parse(text); return false; } catch { return true; } }),
);

export function resolve(reference: string, root: object): Schema {
  return reference.replace(/^#\//, '').split('/').reduce<unknown>((found, part) => (found as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')], root) as Schema;
}

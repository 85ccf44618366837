/** A schema as an OpenAPI 3.1 document writes it: JSON Schema 2020-12. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** What says something about a value to a reader, and nothing to a checker. Formats stand beside a pattern that says the same. */
const annotations = new Set(['description', 'title', 'default', 'examples', 'deprecated', 'format', 'id']);

type Check = (options: { value: unknown; argument: unknown; schema: { readonly [keyword: string]: unknown }; at: string; root: object }) => string[];

const wrong = (at: string, what: string): string[] => [`${at === '' ? '/' : at} ${what}`];
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const numberCheck = (fails: (value: number, limit: number) => boolean, what: string): Check => ({ value, argument, at }) => (typeof value === 'number' && fails(value, argument as number) ? wrong(at, `${what} ${String(argument)}`) : []);
const lengthCheck = (fails: (length: number, limit: number) => boolean, what: string): Check => ({ value, argument, at }) => (
  typeof value === 'string' && fails(Array.from(value).length, argument as number) ? wrong(at, `${what} ${String(argument)} characters`) : []
);

const types: Record<string, (value: unknown) => boolean> = {
  object: isObject, array: Array.isArray, string: (value) => typeof value === 'string', number: (value) => typeof value === 'number', integer: Number.isInteger, boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const checks: Record<string, Check> = {
  $ref: ({ value, argument, at, root }) => faultsOf(value, resolve(argument as string, root), { root, at }),
  type: ({ value, argument, at }) => ([argument].flat() as string[]).some((type) => types[type]?.(value)) ? [] : wrong(at, `is no ${String(argument)}`),
  enum: ({ value, argument, at }) => ((argument as unknown[]).includes(value) ? [] : wrong(at, `is none of ${(argument as unknown[]).join(', ')}`)),
  const: ({ value, argument, at }) => (value === argument ? [] : wrong(at, `is not ${String(argument)}`)),
  required: ({ value, argument, at }) => (isObject(value) ? (argument as string[]).filter((name) => !Object.hasOwn(value, name)).flatMap((name) => wrong(`${at}/${name}`, 'is missing')) : []),
  properties: ({ value, argument, at, root }) => (isObject(value)
    ? Object.entries(argument as Record<string, Schema>).flatMap(([name, schema]) => (Object.hasOwn(value, name) ? faultsOf(value[name], schema, { root, at: `${at}/${name}` }) : []))
    : []),
  additionalProperties: ({ value, argument, schema, at, root }) => (isObject(value)
    ? Object.keys(value).filter((name) => !Object.hasOwn((schema.properties ?? {}) as object, name)).flatMap((name) => faultsOf(value[name], argument as Schema, { root, at: `${at}/${name}` }))
    : []),
  items: ({ value, argument, at, root }) => (Array.isArray(value) ? value.flatMap((item, index) => faultsOf(item, argument as Schema, { root, at: `${at}/${index}` })) : []),
  minItems: ({ value, argument, at }) => (Array.isArray(value) && value.length < (argument as number) ? wrong(at, `has fewer than ${String(argument)} items`) : []),
  maxItems: ({ value, argument, at }) => (Array.isArray(value) && value.length > (argument as number) ? wrong(at, `has more than ${String(argument)} items`) : []),
  minLength: lengthCheck((length, least) => length < least, 'is shorter than'),
  maxLength: lengthCheck((length, most) => length > most, 'is longer than'),
  pattern: ({ value, argument, at }) => (typeof value === 'string' && !new RegExp(argument as string, 'u').test(value) ? wrong(at, 'does not match its pattern') : []),
  minimum: numberCheck((value, least) => value < least, 'is below'),
  maximum: numberCheck((value, most) => value > most, 'is above'),
  allOf: ({ value, argument, at, root }) => (argument as Schema[]).flatMap((schema) => faultsOf(value, schema, { root, at })),
  anyOf: ({ value, argument, at, root }) => ((argument as Schema[]).some((schema) => faultsOf(value, schema, { root, at }).length === 0) ? [] : wrong(at, 'fits none of its alternatives')),
  oneOf: ({ value, argument, at, root }) => ((argument as Schema[]).filter((schema) => faultsOf(value, schema, { root, at }).length === 0).length === 1 ? [] : wrong(at, 'does not fit exactly one of its alternatives')),
};

/**
 * What is wrong with a value, one sentence each with its JSON pointer; none where it fits. Throws on a keyword it does
 * not know: a check that is skipped would look like one that was passed.
 */
export function faultsOf(value: unknown, schema: Schema, { root, at = '' }: { root: object; at?: string }): string[] {
  if (typeof schema === 'boolean') return schema ? [] : wrong(at, 'is not declared');
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (annotations.has(keyword)) return [];
    const check = checks[keyword];
    if (!check) throw new Error(`The document uses "${keyword}", which this program cannot check`);
    return check({ value, argument, schema, at, root });
  });
}

function resolve(reference: string, root: object): Schema {
  const found = reference.replace(/^#\//, '').split('/').reduce<unknown>((place, name) => (place as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], root);
  if (found === undefined) throw new Error(`The document refers to ${reference}, which it does not have`);
  return found as Schema;
}

import { z } from 'zod';
import type { EventDefinition } from './event.ts';

/** What one field of a published event promises to whoever reads it. Limits of a number, a text or a list are one pair. */
export interface Promised {
  readonly required: boolean;
  /** JSON type, or a format where there is one: `uuidv4`, `date-time`, `date`, `base64url`. */
  readonly kind: string;
  /** The closed list of codes, where there is one. */
  readonly codes?: readonly string[];
  readonly pattern?: string;
  readonly least?: number;
  readonly most?: number;
}

/** What readers rely on, per event type: its topic, and each field under its JSON pointer (`*`: any entry of a list or map). */
export interface PublishedPromise {
  readonly topic: string;
  readonly fields: Readonly<Record<string, Promised>>;
}

export type PublishedLock = Readonly<Record<string, PublishedPromise>>;

interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly [limit: string]: unknown;
}

/** The JSON Schema (draft 2020-12) of an event's data, under the URN that stands in its `dataschema`. */
export function schemaOf(definition: EventDefinition): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(definition.data, { target: 'draft-2020-12' });
  return { $schema, $id: `urn:amana:schema:${definition.type}`, title: definition.type, ...rest };
}

/** What these definitions promise, in a fixed order. Private events promise nothing to anybody else and are left out. */
export function promisesOf(definitions: Iterable<EventDefinition>): PublishedLock {
  const entries = [...definitions].flatMap((definition): [string, PublishedPromise][] => {
    if (definition.topic === null) return [];
    const fields: Record<string, Promised> = {};
    collect(schemaOf(definition) as JsonSchema, '', fields);
    return [[definition.type, { topic: definition.topic, fields }]];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en')));
}

/**
 * How `now` breaks what `published` promised, one sentence each; none if every message that was ever valid still is, and
 * every field that readers know is still there. New types and new optional fields break nothing. The lock only ever takes
 * what passed this check, so that what holds against it holds against every version before it (BACKWARD_TRANSITIVE).
 */
export function breaksBetween(published: PublishedLock, now: PublishedLock): string[] {
  return Object.entries(published).flatMap(([type, before]) => {
    const after = now[type];
    if (!after) return [`${type} is no longer published`];
    const moved = after.topic === before.topic ? [] : [`${type} moved from ${before.topic} to ${after.topic}`];
    const changed = Object.entries(before.fields).flatMap(([pointer, field]) => breaksOf(field, after.fields[pointer]).map((what) => `${type} ${pointer}: ${what}`));
    // A new field below one that is itself new and optional is nobody's duty.
    const demanded = Object.entries(after.fields).filter(([pointer, field]) => field.required && !(pointer in before.fields) && parentOf(pointer) in before.fields);
    return [...moved, ...changed, ...demanded.map(([pointer]) => `${type} ${pointer}: is new and required`)];
  });
}

function breaksOf(before: Promised, after: Promised | undefined): string[] {
  if (!after) return ['is gone'];
  const breaks: string[] = [];
  if (after.required && !before.required) breaks.push('was optional and is required');
  if (after.kind !== before.kind) breaks.push(`was ${before.kind} and is ${after.kind}`);
  if (after.pattern !== before.pattern && after.pattern !== undefined) breaks.push('has another pattern');
  if (after.codes) {
    const gone = before.codes?.filter((code) => !after.codes!.includes(code));
    if (!gone) breaks.push('was open and takes a closed list of codes');
    else if (gone.length > 0) breaks.push(`no longer takes ${gone.join(', ')}`);
  }
  if ((after.least ?? -Infinity) > (before.least ?? -Infinity)) breaks.push(`takes no less than ${after.least}`);
  if ((after.most ?? Infinity) < (before.most ?? Infinity)) breaks.push(`takes no more than ${after.most}`);
  return breaks;
}

/** Everything else in a schema could narrow it unseen. */
const understood: ReadonlySet<string> = new Set([
  '$schema', '$id', 'title', 'description', 'type', 'format', 'contentEncoding', 'pattern', 'enum', 'const', 'properties', 'required', 'items', 'additionalProperties', 'propertyNames',
  'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems',
]);

function collect(schema: JsonSchema, pointer: string, fields: Record<string, Promised>, required = true): void {
  const foreign = Object.keys(schema).find((keyword) => !understood.has(keyword));
  if (foreign !== undefined) throw new Error(`A published field cannot use "${foreign}": nobody could tell whether it was narrowed`);
  fields[pointer] = promiseOf(schema, required);
  if (schema.items) collect(schema.items, `${pointer}/*`, fields);
  if (schema.properties) {
    for (const [name, property] of Object.entries(schema.properties)) collect(property, `${pointer}/${name}`, fields, schema.required?.includes(name) ?? false);
  } else if (typeof schema.additionalProperties === 'object') {
    const names = (schema.propertyNames?.enum ?? ['*']) as readonly string[];
    for (const name of names) collect(schema.additionalProperties, `${pointer}/${name}`, fields, schema.required?.includes(name) ?? false);
  }
}

function promiseOf(schema: JsonSchema, required: boolean): Promised {
  const codes = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  const [least, most] = [limitOf(schema, 'min'), limitOf(schema, 'max')];
  if (schema.type === undefined && !codes) throw new Error('A published field has one type');
  return {
    required, kind: kindOf(schema),
    ...(codes ? { codes: codes.map(String) } : {}),
    // Where there is a format it says what the pattern checks, and the pattern's wording is the schema library's own.
    ...(schema.pattern && !schema.format ? { pattern: schema.pattern } : {}),
    ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }),
  };
}

function kindOf(schema: JsonSchema): string {
  if (schema.format === 'uuid') return schema.pattern?.includes('-4[') ? 'uuidv4' : 'uuid';
  return schema.format ?? schema.type ?? 'string';
}

function limitOf(schema: JsonSchema, end: 'min' | 'max'): number | undefined {
  const found = [`${end}imum`, `${end}Length`, `${end}Items`].map((name) => schema[name]).find((limit) => typeof limit === 'number');
  return found as number | undefined;
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}

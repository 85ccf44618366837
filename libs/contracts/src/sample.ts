import { createHash } from 'node:crypto';

interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
}

/** Values by the field's name where a type alone would make a sample that nobody believes. */
const examples: Readonly<Record<string, unknown>> = {
  occurredAt: '2026-01-05T09:00:00.000Z', ackBy: '2026-01-06T09:00:00.000Z', decideBy: '2026-01-06T09:00:00.000Z', serveBy: '2026-01-08T09:00:00.000Z',
  expiresAt: '2026-01-06T21:00:00.000Z', plannedAt: '2026-01-05T17:30:00.000Z', effectiveAt: '2026-01-07T10:00:00.000Z', releaseHoldAt: '2026-01-08T10:00:00.000Z',
  disposeNotBefore: '2026-01-10T10:00:00.000Z', asOf: '2026-01-05T08:00:00.000Z', startedOn: '2026-01-05', endedOn: '2026-03-06', assuredOn: '2025-12-15',
  month: '2026-01', dependantsCount: 0, name: 'An invented association', protocolVersion: '2026.1', minimumAge: 18, maximumAge: 150,
  kid: 'intake-receipts-1', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', sex: 'female', ageBand: '25-34', region: 'MA-09', languages: ['ary', 'shi-Tfng', 'fr'], regions: ['MA-09'],
  sexes: ['female'], families: true, urgency: 'urgent', leaf: Buffer.from('{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA"}').toString('base64url'),
};

/** A valid value of a schema, always the same one: fixed ids by the field's name, the first code of each list, every optional field there. */
export function sampleOf(schema: object, name = ''): unknown {
  const { type, format, enum: codes, const: only, properties, items, additionalProperties, propertyNames, minimum } = schema as JsonSchema;
  if (Object.hasOwn(examples, name) && !properties) return examples[name];
  if (only !== undefined) return only;
  if (codes) return codes[0];
  if (format === 'uuid') return idOf(name);
  if (properties) return Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, sampleOf(property, key)]));
  if (type === 'array') return items ? [sampleOf(items, name)] : [];
  if (type === 'object') {
    const keys = (propertyNames?.enum ?? []) as readonly string[];
    return Object.fromEntries(keys.map((key) => [key, sampleOf(additionalProperties as object, key)]));
  }
  if (type === 'integer' || type === 'number') return minimum ?? 0;
  if (type === 'boolean') return true;
  throw new Error(`There is no example for the field ${name}: add one`);
}

/** The same random-looking UUIDv4 for the same field in every sample. */
function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

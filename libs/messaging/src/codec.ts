import { producerOf, publishedEvents } from '@amana/contracts';
import { type EventMeta, maxPayloadBytes } from '@amana/persistence';
import type { z } from 'zod';
import { DecodeError, type RawMessage, readCloudEvent, toHeaders } from './cloud-event.ts';

/** A row of `published_event` on its way to the bus. The data stays the database's text: nothing here needs to read it. */
export interface PublishedRow {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly topic: string;
  readonly key: string;
  readonly dataJson: string;
  readonly meta: EventMeta;
  readonly at: Date;
  readonly position: string;
}

export interface EncodedEvent {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
}

/** An event as a reaction gets it: its data has the shape of its contract. */
export interface ReceivedEvent<Data = unknown> {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  /** What orders it: all events of one key arrive in the order in which they were written. */
  readonly key: string;
  readonly data: Data;
  /** When it happened, in the producer's business time. */
  readonly at: Date;
  readonly correlation?: string;
  readonly traceparent?: string;
  readonly partition: number;
  readonly offset: string;
  /** The version of the stream that it made; absent where the key is not the stream. */
  readonly aggregateVersion?: number;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The event as a Kafka message: CloudEvents 1.0, binary mode. `producer` is the service's name. */
export function encode(row: PublishedRow, producer: string): EncodedEvent {
  const headers = toHeaders({
    specversion: '1.0', id: row.id, source: `/amana/${producer}`, type: row.type, time: row.at.toISOString(),
    dataschema: `urn:amana:schema:${row.type}`, partitionkey: row.key, datacontenttype: 'application/json',
    correlationid: row.meta.correlation, aggregateversion: row.key === row.stream ? String(row.version) : undefined,
  });
  if (row.meta.traceparent) headers.traceparent = row.meta.traceparent;
  return { key: row.key, value: Buffer.from(row.dataJson), headers };
}

/**
 * Reads a message of a known type against its contract. What a newer producer added is left out, not refused;
 * everything else that does not fit is a DecodeError, and no retry can change it.
 */
export function decode(message: RawMessage): ReceivedEvent | DecodeError {
  if (message.value && message.value.byteLength > maxPayloadBytes) return new DecodeError('too-large');
  const event = readCloudEvent(message);
  if (event instanceof DecodeError) return event;
  const { id, type, time, partitionkey, correlationid, aggregateversion } = event.attributes;
  const definition = publishedEvents.get(type!);
  if (!definition) return new DecodeError('type-unknown');
  if (!uuid.test(id!)) return new DecodeError('id-not-a-uuid');
  const at = new Date(time ?? Number.NaN);
  if (Number.isNaN(at.getTime())) return new DecodeError('time-invalid');
  const data = readLeniently(definition.data, event.data);
  if (data instanceof DecodeError) return data;
  const { traceparent } = message.headers;
  return {
    id: id!.toLowerCase(), type: type!, topic: message.topic, key: message.key ?? partitionkey ?? '', data: data.value, at,
    partition: message.partition, offset: message.offset,
    ...(correlationid !== undefined && { correlation: correlationid }),
    ...(traceparent !== undefined && { traceparent }),
    ...(/^\d{1,9}$/.test(aggregateversion ?? '') && { aggregateVersion: Number(aggregateversion) }),
  };
}

/** The service that published a message, as its topic names it. */
export function producerOfTopic(topic: string): string {
  return producerOf(topic);
}

/** How deep additions of newer producers may be nested before a message is refused. */
const stripRounds = 4;

/**
 * Parses by a strict schema, taking away the keys it does not know: contracts grow by optional fields only,
 * so an older reader must not stop at a field that came later.
 */
export function readLeniently(schema: z.ZodType, input: unknown): { value: unknown } | DecodeError {
  let candidate = input;
  for (let round = 0; ; round += 1) {
    const parsed = schema.safeParse(candidate);
    if (parsed.success) return { value: parsed.data };
    const unknown = parsed.error.issues.filter((issue) => issue.code === 'unrecognized_keys');
    if (unknown.length === 0 || round === stripRounds) return new DecodeError(`schema:${parsed.error.issues[0]!.code}`);
    if (round === 0) candidate = structuredClone(input);
    for (const issue of unknown) removeKeys(candidate, issue.path, issue.keys);
  }
}

function removeKeys(root: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let holder = root as Record<PropertyKey, unknown>;
  for (const step of path) holder = holder[step] as Record<PropertyKey, unknown>;
  for (const key of keys) delete holder[key];
}

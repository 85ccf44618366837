import { randomBytes } from 'node:crypto';
import type { EventDefinition } from '@amana/contracts';
import type { Row, Statement } from './transaction.ts';

/** Larger payloads are refused at the writer: a bus that carries them would hold up everybody's. */
export const maxPayloadBytes = 256 * 1024;

/** What an event remembers beside its data; only `traceparent`, `cause` and `correlation` ever travel. */
export interface EventMeta {
  /** The event or request that led to it. */
  readonly cause?: string | undefined;
  readonly correlation?: string | undefined;
  readonly traceparent?: string | undefined;
}

export interface NewEvent {
  readonly stream: string;
  readonly version: number;
  readonly definition: EventDefinition;
  /** The bus key: events of one key keep their order. */
  readonly key: string;
  readonly data: unknown;
}

export interface StoredEvent<Data = unknown> {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly topic: string | null;
  readonly key: string;
  readonly data: Data;
  readonly meta: EventMeta;
  readonly at: Date;
}

export interface Appended {
  readonly events: readonly StoredEvent[];
  readonly statement: Statement;
}

/**
 * One INSERT for all of these events, in this order. Each event's data is checked against its contract first:
 * what does not fit its schema is never stored. Two writers of one version meet on the primary key (23505).
 */
export function append(events: readonly NewEvent[], meta: EventMeta, at: Date): Appended {
  const stored = events.map((event): StoredEvent => ({
    id: newEventId(), stream: event.stream, version: event.version, type: event.definition.type, topic: event.definition.topic,
    key: event.key, data: event.definition.data.parse(event.data), meta, at,
  }));
  const rows = JSON.stringify(stored);
  if (Buffer.byteLength(rows) > maxPayloadBytes) throw new RangeError(`An event may carry ${maxPayloadBytes} bytes at most`);
  return { events: stored, statement: { name: 'event-append', text: appendSql, values: [rows] } };
}

const appendSql = `INSERT INTO event (id, stream, version, type, topic, key, data, meta, at)
SELECT id, stream, version, type, topic, key, data, meta, at FROM jsonb_to_recordset($1::jsonb)
  AS r(id uuid, stream uuid, version int, type text, topic text, key text, data jsonb, meta jsonb, at timestamptz)`;

/** Reads a stream's events in order, from the first up to `upToVersion`. */
export function loadStream(stream: string, upToVersion = 2_147_483_647): Statement {
  return {
    name: 'event-load', values: [stream, upToVersion],
    text: 'SELECT id, stream, version, type, topic, key, data, meta, at FROM event WHERE stream = $1 AND version <= $2 ORDER BY version',
  };
}

export function toStoredEvent(row: Row): StoredEvent {
  return row as unknown as StoredEvent;
}

/**
 * A UUIDv7 in real time: ids of events sort by when they were made, which the inbox's index likes.
 * (Ids that cross organisations are v4; an event id tells no more than the event's own time.)
 */
export function newEventId(nowMs = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

import { type Row, scheduleDue, type Statement } from '@amana/persistence';
import { type Incoming, keptBody, keptHeaders } from './incoming.ts';

/** The kind of the due rows that wake parked keys. */
export const parkedKind = 'parked';

/** What orders parked messages: one key of one topic, as one consumer sees it. */
export interface Place {
  readonly consumer: string;
  readonly topic: string;
  readonly key: string;
}

export interface ParkedRow extends Row {
  readonly event_id: string;
  readonly part: number;
  readonly off: string;
  readonly headers: Record<string, string>;
  readonly payload: Buffer;
  readonly attempts: number;
  readonly state: 'retry' | 'dead';
}

export interface ParkedState {
  readonly attempts: number;
  readonly reason: string | null;
  readonly state: 'retry' | 'dead';
}

/** Which of these keys have something parked that is not settled. */
export function liveKeys(consumer: string, places: readonly { topic: string; key: string }[]): Statement {
  return {
    name: 'parked-live', values: [consumer, places.map((place) => place.topic), places.map((place) => place.key)],
    text: `SELECT DISTINCT k.topic, k.pkey FROM unnest($2::text[], $3::text[]) AS k (topic, pkey)
      JOIN inbox_parked p ON p.consumer = $1 AND p.topic = k.topic AND p.pkey = k.pkey AND p.state IN ('retry', 'dead')`,
  };
}

/** Puts a message at the end of its key's queue; its inbox row stands already. */
export function park(consumer: string, incoming: Incoming, as: ParkedState): Statement {
  const { message, eventId, key } = incoming;
  return {
    name: 'parked-insert',
    values: [consumer, eventId, message.topic, key, message.partition, message.offset, JSON.stringify(keptHeaders(message)), keptBody(message), as.attempts, as.reason, as.state],
    text: `WITH noted AS (UPDATE inbox SET outcome = 'parked' WHERE consumer = $1 AND event_id = $2)
      INSERT INTO inbox_parked (consumer, event_id, topic, pkey, part, off, headers, payload, attempts, last_error, state)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
  };
}

/** The first unsettled message of a key, locked for this transaction. */
export function lockHead({ consumer, topic, key }: Place): Statement {
  return {
    name: 'parked-head', values: [consumer, topic, key],
    text: `SELECT event_id, part, off, headers, payload, attempts, state FROM inbox_parked
      WHERE consumer = $1 AND topic = $2 AND pkey = $3 AND state IN ('retry', 'dead') ORDER BY pos LIMIT 1 FOR UPDATE`,
  };
}

export function markParked(consumer: string, eventId: string, as: ParkedState): Statement {
  return {
    name: 'parked-mark', values: [consumer, eventId, as.attempts, as.reason, as.state],
    text: 'UPDATE inbox_parked SET attempts = $3, last_error = $4, state = $5 WHERE consumer = $1 AND event_id = $2',
  };
}

/** Takes a message off its key for good; its body is not kept longer than it is needed. */
export function settleParked(consumer: string, eventId: string, outcome: 'done' | 'skipped'): Statement {
  return {
    name: 'parked-settle', values: [consumer, eventId, outcome],
    text: `WITH noted AS (UPDATE inbox SET outcome = $3 WHERE consumer = $1 AND event_id = $2)
      UPDATE inbox_parked SET state = $3, payload = '' WHERE consumer = $1 AND event_id = $2`,
  };
}

/** The key's next try is then, whatever was planned before. */
export function wakeAt(place: Place, at: Date): Statement {
  return scheduleDue({ kind: parkedKind, key: dueKey(place), at, clock: 'real', payload: { ...place } });
}

/**
 * The key is looked at now unless a try is planned. Needed behind a waiting head too: if that head is being settled
 * at this moment, this insert waits for the worker's transaction, and the message behind it is not forgotten.
 */
export function wakeUnlessPlanned(place: Place): Statement {
  return {
    name: 'parked-wake', values: [parkedKind, dueKey(place), new Date(), JSON.stringify(place)],
    text: `INSERT INTO due (kind, key, due_at, clock, payload) VALUES ($1, $2, $3, 'real', $4) ON CONFLICT (kind, key) DO NOTHING`,
  };
}

/** The next message of the key gets its turn now, if there is one. */
export function wakeNext(place: Place): Statement {
  return {
    name: 'parked-next', values: [parkedKind, dueKey(place), new Date(), JSON.stringify(place), place.consumer, place.topic, place.key],
    text: `INSERT INTO due (kind, key, due_at, clock, payload) SELECT $1, $2, $3::timestamptz, 'real', $4::jsonb
      WHERE EXISTS (SELECT 1 FROM inbox_parked WHERE consumer = $5 AND topic = $6 AND pkey = $7 AND state IN ('retry', 'dead'))
      ON CONFLICT (kind, key) DO UPDATE SET due_at = EXCLUDED.due_at`,
  };
}

export function placeOf(consumer: string, incoming: Incoming): Place {
  return { consumer, topic: incoming.message.topic, key: incoming.key };
}

function dueKey({ consumer, topic, key }: Place): string {
  return `${consumer}|${topic}|${key}`;
}

import { Refusal } from '@amana/contracts';
import type { Pool, Row, Transaction } from '@amana/persistence';
import { settleParked, wakeAt, wakeNext } from './parked-rows.ts';

/** A message that waits, as an operator sees it: where it stands and why, never what is in it. */
export interface ParkedMessage {
  readonly consumer: string;
  readonly topic: string;
  readonly key: string;
  readonly eventId: string;
  readonly type: string | null;
  readonly partition: number;
  readonly offset: string;
  readonly state: 'retry' | 'dead';
  readonly attempts: number;
  readonly reason: string | null;
  readonly parkedAt: Date;
}

const listLimit = 1_000;

/** What waits, in the order in which it came, the first thousand. */
export async function listParked(pool: Pool, filter: { consumer?: string; state?: 'retry' | 'dead' } = {}): Promise<ParkedMessage[]> {
  const answer = await pool.query<ParkedMessage & Row>(
    `SELECT consumer, topic, pkey AS key, event_id AS "eventId", headers->>'ce_type' AS type, part AS partition, off AS offset, state, attempts,
       last_error AS reason, parked_at AS "parkedAt" FROM inbox_parked
     WHERE state IN ('retry', 'dead') AND ($1::text IS NULL OR consumer = $1) AND ($2::text IS NULL OR state = $2) ORDER BY pos LIMIT ${listLimit}`,
    [filter.consumer ?? null, filter.state ?? null],
  );
  return answer.rows;
}

/** How many messages wait for a retry and how many for an operator. */
export async function countParked(pool: Pool): Promise<{ retry: number; dead: number }> {
  const answer = await pool.query<{ state: 'retry' | 'dead'; count: number }>(
    `SELECT state, count(*)::int AS count FROM inbox_parked WHERE state IN ('retry', 'dead') GROUP BY state`,
  );
  const counts = Object.fromEntries(answer.rows.map((row) => [row.state, row.count]));
  return { retry: counts.retry ?? 0, dead: counts.dead ?? 0 };
}

/**
 * Gives a dead message new tries, from the first, once the transaction commits. Refuses `not-found` if no such message
 * is dead, and `gone` if its body was too large to be kept.
 */
export async function replayDead(tx: Transaction, message: { consumer: string; eventId: string }): Promise<void> {
  const place = await lockDead(tx, message);
  if (place.reason === 'too-large') throw new Refusal('gone');
  tx.write({
    name: 'parked-replay', values: [message.consumer, message.eventId],
    text: `UPDATE inbox_parked SET state = 'retry', attempts = 0, last_error = NULL WHERE consumer = $1 AND event_id = $2`,
  }, wakeAt({ consumer: message.consumer, topic: place.topic, key: place.key }, new Date()));
}

/**
 * Gives up a dead message for good, once the transaction commits: what is behind it goes on. The caller's audit entry
 * says who decided so and why. Refuses `not-found` if no such message is dead.
 */
export async function skipDead(tx: Transaction, message: { consumer: string; eventId: string }): Promise<void> {
  const place = await lockDead(tx, message);
  tx.write(settleParked(message.consumer, message.eventId, 'skipped'), wakeNext({ consumer: message.consumer, topic: place.topic, key: place.key }));
}

async function lockDead(tx: Transaction, { consumer, eventId }: { consumer: string; eventId: string }): Promise<{ topic: string; key: string; reason: string | null }> {
  const [row] = await tx.query<{ topic: string; key: string; reason: string | null }>({
    name: 'parked-dead', values: [consumer, eventId],
    text: `SELECT topic, pkey AS key, last_error AS reason FROM inbox_parked WHERE consumer = $1 AND event_id = $2 AND state = 'dead' FOR UPDATE`,
  });
  if (!row) throw new Refusal('not-found');
  return row;
}

const rowsPerDelete = 5_000;
const deletesPerRun = 200;

/**
 * Forgets events received longer ago than `olderThanDays` (30: longer than any bus keeps them) and settled parked
 * messages; answers how many rows went. A million rows at most per run, in small transactions.
 */
export async function purgeInbox(pool: Pool, olderThanDays = 30): Promise<number> {
  let total = 0;
  for (let run = 0; run < deletesPerRun; run += 1) {
    const gone = await pool.query(
      `WITH old AS (SELECT event_id, consumer FROM inbox WHERE at < now() - make_interval(days => $1) AND outcome <> 'parked' ORDER BY at LIMIT ${rowsPerDelete}),
         settled AS (DELETE FROM inbox_parked p USING old WHERE p.event_id = old.event_id AND p.consumer = old.consumer)
       DELETE FROM inbox i USING old WHERE i.event_id = old.event_id AND i.consumer = old.consumer`, [olderThanDays],
    );
    total += gone.rowCount ?? 0;
    if ((gone.rowCount ?? 0) < rowsPerDelete) break;
  }
  return total;
}

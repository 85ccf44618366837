import type { PoolClient } from '@amana/persistence';
import type { OnAlarm } from './alarm.ts';
import type { PublishedRow } from './codec.ts';
import type { Unsendable } from './kafka-sender.ts';
import { batchRows, readMissed } from './published-window.ts';
import type { WindowPosition } from './snapshot-cursor.ts';

interface Blocked {
  readonly topic: string;
  /** null: the whole topic. */
  readonly key: string | null;
  /** Everything visible in this snapshot has been sent. */
  readonly since: string;
}

const retryEveryMs = 30_000;

/**
 * The keys that wait behind a row which cannot be sent. Each has a cursor of its own in `relay_state`, so that the
 * relay's cursor goes on with the others and nothing is forgotten over a restart. They are tried again twice a minute.
 */
export class BlockedKeys {
  readonly #subscriber: string;
  readonly #onAlarm: OnAlarm;
  #blocked = new Map<string, Blocked>();
  #loadedFrom: PoolClient | undefined;
  #retryAtMs = 0;

  constructor(subscriber: string, onAlarm: OnAlarm) {
    this.#subscriber = subscriber;
    this.#onAlarm = onAlarm;
  }

  get size(): number {
    return this.#blocked.size;
  }

  /** A new leader reads what the last one has left. */
  async load(state: PoolClient): Promise<void> {
    if (this.#loadedFrom === state) return;
    const prefix = `${this.#subscriber}!`;
    const rows = await state.query<{ subscriber: string; snap: string }>(
      'SELECT subscriber, snap::text AS snap FROM relay_state WHERE starts_with(subscriber, $1) AND epoch > 0', [prefix],
    );
    this.#blocked = new Map(rows.rows.map(({ subscriber, snap }) => {
      const [topic, ...key] = subscriber.slice(prefix.length).split('!');
      return [subscriber, { topic: topic!, key: key.length > 0 ? key.join('!') : null, since: snap }];
    }));
    this.#loadedFrom = state;
  }

  /** Without the rows that have to wait. */
  passable(rows: readonly PublishedRow[]): readonly PublishedRow[] {
    if (this.#blocked.size === 0) return rows;
    return rows.filter((row) => !this.#blocked.has(this.#nameOf(row.topic, null)) && !this.#blocked.has(this.#nameOf(row.topic, row.key)));
  }

  async block({ row, wholeTopic, reason }: Unsendable, since: string, state: PoolClient): Promise<void> {
    const blocked = { topic: row.topic, key: wholeTopic ? null : row.key, since };
    const name = this.#nameOf(blocked.topic, blocked.key);
    await state.query(
      `INSERT INTO relay_state (subscriber, epoch, snap, system_id) VALUES ($1, 1, $2::pg_snapshot, '')
       ON CONFLICT (subscriber) DO UPDATE SET epoch = 1, snap = EXCLUDED.snap, updated_at = now()`, [name, since],
    );
    this.#blocked.set(name, blocked);
    this.#retryAtMs = Date.now() + retryEveryMs;
    this.#onAlarm({ code: 'key-blocked', subscriber: this.#subscriber, topic: row.topic, ...(blocked.key !== null && { key: blocked.key }), eventId: row.id, reason });
  }

  /** When it is time, sends what each blocked key has missed; a key that has nothing left behind it is free again. */
  async retry(position: WindowPosition, send: (rows: readonly PublishedRow[]) => Promise<Unsendable[]>): Promise<void> {
    if (this.#blocked.size === 0 || Date.now() < this.#retryAtMs) return;
    this.#retryAtMs = Date.now() + retryEveryMs;
    const known = new Map(this.#blocked);
    for (const [name, blocked] of known) {
      if (!await this.#catchUp(blocked, position, send)) continue;
      await position.state.query('UPDATE relay_state SET epoch = 0, updated_at = now() WHERE subscriber = $1', [name]);
      this.#blocked.delete(name);
    }
  }

  async #catchUp(blocked: Blocked, position: WindowPosition, send: (rows: readonly PublishedRow[]) => Promise<Unsendable[]>): Promise<boolean> {
    for (let after = '0'; ;) {
      const rows = await readMissed(position.reader, { ...blocked, until: position.since, after });
      const unsendable = await send(blocked.key === null ? this.#withoutKeys(rows) : rows);
      if (unsendable.some((one) => one.wholeTopic || one.row.key === blocked.key)) return false;
      for (const one of unsendable) await this.block(one, blocked.since, position.state);
      if (rows.length < batchRows) return true;
      after = rows.at(-1)!.position;
    }
  }

  #withoutKeys(rows: readonly PublishedRow[]): readonly PublishedRow[] {
    return rows.filter((row) => !this.#blocked.has(this.#nameOf(row.topic, row.key)));
  }

  #nameOf(topic: string, key: string | null): string {
    return key === null ? `${this.#subscriber}!${topic}` : `${this.#subscriber}!${topic}!${key}`;
  }
}

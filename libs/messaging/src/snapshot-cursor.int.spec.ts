import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { inTransaction, openPool, type Pool, type ServiceUrls } from '@amana/persistence';
import { eventually, throwawayDatabase, type ThrowawayServer, throwawayServer } from '@amana/testing';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import type { Alarm } from './alarm.ts';
import type { PublishedRow } from './codec.ts';
import { acknowledged, topic } from './conformance-network.ts';
import { reseedCursor } from './cursor-state.ts';
import { LeaderLock } from './leader-lock.ts';
import { SnapshotCursor } from './snapshot-cursor.ts';

interface Reader {
  readonly rows: PublishedRow[];
  readonly alarms: Alarm[];
  readonly lock: LeaderLock;
  readonly cursor: SnapshotCursor;
  stop(): Promise<void>;
}

describe('the snapshot cursor', () => {
  let server: ThrowawayServer;
  let urls: ServiceUrls;
  let app: Pool;
  let owner: Pool;
  let readers: Reader[] = [];

  beforeAll(async () => {
    server = await throwawayServer((stateDir) => startPostgres({ stateDir, durable: false }));
    urls = await throwawayDatabase(server.adminUrl, 'referral');
    [app, owner] = [openPool(urls.appUrl, 16), openPool(urls.ownerUrl, 2)];
  }, 120_000);

  afterEach(async () => {
    await Promise.all(readers.map((reader) => reader.stop()));
    readers = [];
  });

  afterAll(async () => {
    await Promise.all([app.end(), owner.end()]);
    await server.stop();
  });

  function read(subscriber: string, options: { topics?: string[]; onBatch?: (rows: readonly PublishedRow[]) => Promise<void> } = {}): Reader {
    const pool = openPool(urls.relayUrl, 2);
    const [rows, alarms]: [PublishedRow[], Alarm[]] = [[], []];
    const cursor = new SnapshotCursor({
      subscriber, source: pool, onAlarm: (alarm) => { alarms.push(alarm); }, ...(options.topics && { topics: options.topics }),
      onBatch: async (batch) => { await options.onBatch?.(batch); rows.push(...batch); },
    });
    const lock = new LeaderLock({ pool, name: subscriber, work: (lead) => cursor.run(lead), onError: () => {} });
    lock.start();
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= (async () => { cursor.end(0); await lock.stop(); await pool.end(); })());
    const reader = { rows, alarms, lock, cursor, stop };
    readers.push(reader);
    return reader;
  }

  async function fill(count: number, ofTopic: string | null = topic): Promise<void> {
    await owner.query(`INSERT INTO event (id, stream, version, type, topic, key, data, meta, at)
      SELECT gen_random_uuid(), gen_random_uuid(), 1, 'referral.acknowledged.v1', $2, n::text, '{}', '{}', now() FROM generate_series(1, $1::int) AS n`, [count, ofTopic]);
  }

  it('hands on nothing private, nothing of another topic and nothing rolled back', async () => {
    const key = randomUUID();
    await fill(20, null);
    await fill(20, 'referral.directory.v1');
    await inTransaction(app, [acknowledged(randomUUID(), 1)], () => { throw new Error('taken back'); }).catch(() => {});
    const reader = read('topics', { topics: [topic] });
    await inTransaction(app, [acknowledged(key, 1)], () => {});
    await eventually(async () => reader.rows.length > 0);
    expect(reader.rows.map((row) => row.key)).toEqual([key]);
  });

  it('hands on a backlog of many batches in the order of writing, once', async () => {
    await fill(2_345);
    const reader = read('backlog');
    await eventually(async () => reader.rows.length >= 2_345);
    const positions = reader.rows.map((row) => Number(row.position));
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  });

  it('loses nothing and keeps each stream in order under writers that are slow, that nest, and that take back', async () => {
    const reader = read('writers');
    const streams = Array.from({ length: 12 }, () => randomUUID());
    const written = new Map(streams.map((stream) => [stream, 0]));
    // A linear congruential generator with a fixed seed: the same interleaving is asked for on each run.
    let seed = 20_240_305;
    const random = (): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed / 2_147_483_648; };
    const busy = new Set<string>();
    await Promise.all(Array.from({ length: 12 }, async () => {
      for (let turn = 0; turn < 40; turn += 1) {
        const mine = streams.filter((stream) => !busy.has(stream) && random() < 0.3).slice(0, 3);
        for (const stream of mine) busy.add(stream);
        await inTransaction(app, [acknowledged(randomUUID(), 1)], async (tx) => {
          for (const stream of mine) {
            tx.write(acknowledged(stream, written.get(stream)! + 1));
            await tx.flush();
            if (random() < 0.3) await new Promise((resolve) => { setTimeout(resolve, random() * 30); });
          }
          if (random() < 0.2) throw new Error('taken back');
        }).then(() => { for (const stream of mine) written.set(stream, written.get(stream)! + 1); }, () => {});
        for (const stream of mine) busy.delete(stream);
        if (random() < 0.3) reader.cursor.poke();
      }
    }));
    const total = await owner.query<{ count: number }>('SELECT count(*)::int AS count FROM published_event');
    await eventually(async () => reader.rows.length >= total.rows[0]!.count);
    expect(new Set(reader.rows.map((row) => row.id)).size).toBe(total.rows[0]!.count);
    expect(reader.rows).toHaveLength(total.rows[0]!.count);
    for (const stream of streams) expect(reader.rows.filter((row) => row.stream === stream).map((row) => row.version)).toEqual(Array.from({ length: written.get(stream)! }, (_, n) => n + 1));
  }, 60_000);

  it('gives the same rows again until they are taken', async () => {
    let refusals = 3;
    const reader = read('stubborn', { onBatch: async () => { if (refusals-- > 0) throw new Error('not now'); } });
    const key = randomUUID();
    await inTransaction(app, [acknowledged(key, 1)], () => {});
    await eventually(async () => reader.rows.some((row) => row.key === key));
    expect(new Set(reader.rows.map((row) => row.id)).size).toBe(reader.rows.length);
  });

  it('lets one of two lead, and the other follow within seconds when the first loses its connection', async () => {
    const [first, second] = [read('pair'), read('pair')];
    await eventually(async () => first.lock.leading || second.lock.leading);
    await new Promise((resolve) => { setTimeout(resolve, 1_200); });
    expect([first.lock.leading, second.lock.leading].filter(Boolean)).toHaveLength(1);
    const [leader, standby] = first.lock.leading ? [first, second] : [second, first];
    const before = leader.rows.length;
    await leader.stop();
    const key = randomUUID();
    await inTransaction(app, [acknowledged(key, 1)], () => {});
    await eventually(async () => standby.rows.some((row) => row.key === key), { withinMs: 5_000 });
    expect(leader.rows).toHaveLength(before);
  });

  it('steps down when a newer leader has begun, so that an old one never moves its cursor', async () => {
    const reader = read('fenced');
    const epochOf = async () => (await owner.query<{ epoch: string; begun: boolean }>(`SELECT epoch, snap::text <> '1:1:' AS begun FROM relay_state WHERE subscriber = 'fenced'`)).rows[0];
    await eventually(async () => (await epochOf())?.begun);
    await owner.query(`UPDATE relay_state SET epoch = epoch + 1 WHERE subscriber = 'fenced'`);
    const key = randomUUID();
    await inTransaction(app, [acknowledged(key, 1)], () => {});
    // What it handed on without being allowed to note it comes again, in its next epoch.
    await eventually(async () => reader.rows.filter((row) => row.key === key).length === 2, { withinMs: 10_000 });
    expect((await epochOf())!.epoch).toBe('3');
  });

  it.each([
    ['comes from another server', { system_id: 'another', snap: '1:1:' }, 'other-system'],
    ['has gone back', { snap: '900000000:900000000:' }, 'log-went-back'],
  ])('sends nothing and calls for an operator when the log %s', async (_, state, reason) => {
    const subscriber = `diverged-${reason}`;
    const seeded = read(subscriber);
    await eventually(async () => seeded.rows.length > 0);
    await seeded.stop();
    await owner.query('UPDATE relay_state SET system_id = coalesce($2, system_id), snap = $3::pg_snapshot WHERE subscriber = $1', [subscriber, 'system_id' in state ? state.system_id : null, state.snap]);
    const reader = read(subscriber);
    await eventually(async () => reader.alarms.length > 0);
    expect(reader.alarms).toEqual([{ code: 'cursor-diverged', subscriber, reason }]);
    expect(reader.rows).toEqual([]);
    expect(reader.cursor.diverged).toBe(true);
    await reader.stop();
    await reseedCursor({ source: owner, state: owner, subscriber, from: 'now' });
    const again = read(subscriber);
    const key = randomUUID();
    await inTransaction(app, [acknowledged(key, 1)], () => {});
    await eventually(async () => again.rows.length > 0);
    expect(again.rows.map((row) => row.key)).toEqual([key]);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { published } from '@amana/contracts';
import { type ThrowawayServer, throwawayDatabase, throwawayServer } from '@amana/testing';
import { z } from 'zod';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { Clock } from './clock.ts';
import { Database, openPool } from './database.ts';
import { DueWorker, scheduleDue } from './due-rows.ts';
import { append, loadStream, type NewEvent } from './event-log.ts';
import type { ServiceUrls } from './migrate.ts';
import { inTransaction, plain } from './transaction.ts';

const definition = published('referral.tested.v1', 'referral.tested.v1', z.strictObject({ n: z.int() }));
const event = (stream: string, version: number, topic: string | null = definition.topic): NewEvent => ({ stream, version, definition: { ...definition, topic }, key: stream, data: { n: version } });

let server: ThrowawayServer;
let urls: ServiceUrls;
let database: Database;

beforeAll(async () => {
  server = await throwawayServer((stateDir) => startPostgres({ stateDir, durable: false }));
  urls = await throwawayDatabase(server.adminUrl, 'referral');
  database = new Database(urls);
}, 60_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const versions = async (stream: string) => (await inTransaction(database.app, [loadStream(stream)], (_tx, [rows]) => rows!)).map((row) => row.version);

describe('a transaction', () => {
  it('never reports a commit that the server turned into a rollback', async () => {
    const stream = randomUUID();
    const twice = inTransaction(database.app, [], (tx) => { tx.write(append([event(stream, 1)], {}, new Date()).statement, append([event(stream, 1)], {}, new Date()).statement); });
    await expect(twice).rejects.toMatchObject({ code: '23505' });
    expect(await versions(stream)).toEqual([]);
  });

  it('throws the first failure, not what the server says about the statements after it', async () => {
    await expect(inTransaction(database.app, [], (tx) => { tx.write(plain('SELECT 1/0'), plain('SELECT no_such_column')); })).rejects.toMatchObject({ code: '22012' });
  });

  it('leaves nothing behind when the work throws, and its connection serves on', async () => {
    const stream = randomUUID();
    await expect(inTransaction(database.app, [], async (tx) => { tx.write(append([event(stream, 1)], {}, new Date()).statement); await tx.flush(); throw new RangeError('no'); })).rejects.toThrow(RangeError);
    expect(await versions(stream)).toEqual([]);
  });

  it('takes back a failed part and keeps the rest', async () => {
    const [kept, lost] = [randomUUID(), randomUUID()];
    await inTransaction(database.app, [], async (tx) => {
      tx.write(append([event(kept, 1)], {}, new Date()).statement);
      await expect(tx.attempt(async () => { tx.write(append([event(lost, 1)], {}, new Date()).statement); await tx.query(plain('SELECT 1/0')); })).rejects.toMatchObject({ code: '22012' });
    });
    expect([await versions(kept), await versions(lost)]).toEqual([[1], []]);
  });

  it('lets one of two writers of a version win', async () => {
    const stream = randomUUID();
    const write = () => inTransaction(database.app, [loadStream(stream)], (tx, [rows]) => tx.write(append([event(stream, rows!.length + 1)], {}, new Date()).statement));
    const outcomes = await Promise.allSettled([write(), write(), write()]);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
    expect(await versions(stream)).toHaveLength(won);
  });
});

describe('the event log', () => {
  it('refuses data that does not fit its contract, and payloads over 256 KiB', () => {
    expect(() => append([{ ...event(randomUUID(), 1), data: { n: 'one' } }], {}, new Date())).toThrow();
    const wide = published('referral.wide.v1', 'referral.tested.v1', z.strictObject({ text: z.string() }));
    expect(() => append([{ ...event(randomUUID(), 1), definition: wide, data: { text: 'x'.repeat(300_000) } }], {}, new Date())).toThrow(RangeError);
  });

  it('shows the bus roles published rows only, and lets nobody change history', async () => {
    const stream = randomUUID();
    await inTransaction(database.app, [], (tx) => tx.write(append([event(stream, 1), event(stream, 2, null)], {}, new Date()).statement));
    for (const url of [urls.relayUrl, urls.busUrl]) {
      const pool = openPool(url, 1);
      const { rows } = await pool.query('SELECT version FROM published_event WHERE stream = $1', [stream]);
      expect(rows).toEqual([{ version: 1 }]);
      await expect(pool.query('SELECT 1 FROM event')).rejects.toMatchObject({ code: '42501' });
      await pool.end();
    }
    await expect(database.app.query('UPDATE event SET type = type')).rejects.toMatchObject({ code: '42501' });
    await expect(database.app.query('DELETE FROM event')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('due rows', () => {
  it('are each handled once by two workers, not before their time, and again after a failure', async () => {
    const clock = new Clock();
    const handled: string[] = [];
    let failures = 1;
    const handlers = new Map([['test', async (row: { key: string }) => {
      if (row.key === 'fails' && failures > 0) { failures -= 1; throw new Error('once'); }
      handled.push(row.key);
    }]]);
    const errors: string[] = [];
    const workers = [1, 2].map(() => new DueWorker({ pool: database.due, clock, handlers, onError: (kind) => errors.push(kind) }));
    const at = new Date();
    await inTransaction(database.app, [], (tx) => tx.write(
      ...Array.from({ length: 20 }, (_, n) => scheduleDue({ kind: 'test', key: `k${n}`, at, clock: 'business' })),
      scheduleDue({ kind: 'test', key: 'fails', at, clock: 'business' }),
      scheduleDue({ kind: 'test', key: 'tomorrow', at: new Date(at.getTime() + 86_400_000), clock: 'business' }),
    ));
    await Promise.all(workers.map((worker) => worker.drain()));
    expect(handled.toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `k${n}`).toSorted());
    expect(errors).toEqual(['test']);
    clock.moveTo(86_400_000);
    await workers[0]!.drain();
    expect(handled.slice(20).toSorted()).toEqual(['fails', 'tomorrow']);
  });
});

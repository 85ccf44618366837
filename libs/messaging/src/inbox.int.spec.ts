import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { Clock, DueWorker, inTransaction, newEventId, openPool, type Pool, type Transaction } from '@amana/persistence';
import { eventually, throwawayDatabase, type ThrowawayServer, throwawayServer } from '@amana/testing';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import type { Alarm } from './alarm.ts';
import type { RawMessage } from './cloud-event.ts';
import { encode, type ReceivedEvent } from './codec.ts';
import { acknowledged, consumerMigrations, handledType, topic } from './conformance-network.ts';
import { Inbox } from './inbox.ts';
import { countParked, listParked, purgeInbox, replayDead } from './parked-messages.ts';
import { parkedKind } from './parked-rows.ts';

let offset = 0;

function message(key: string, version: number, changes: Partial<RawMessage> = {}): RawMessage {
  const data = { referralId: randomUUID(), fromOrg: randomUUID(), toOrg: randomUUID() };
  const row = { id: newEventId(), stream: key, version, type: handledType, topic, key, dataJson: JSON.stringify(data), meta: {}, at: new Date(), position: '0' };
  return { topic, partition: 0, offset: String(offset++), ...encode(row, 'referral'), ...changes };
}

describe('the inbox', () => {
  let server: ThrowawayServer;
  let pool: Pool;
  let owner: Pool;
  let alarms: Alarm[];
  let behave: (event: ReceivedEvent, tx: Transaction) => Promise<void> | void;
  let inbox: Inbox;
  let due: DueWorker;

  beforeAll(async () => {
    server = await throwawayServer((stateDir) => startPostgres({ stateDir, durable: false }));
    const urls = await throwawayDatabase(server.adminUrl, 'shelter', consumerMigrations);
    [pool, owner] = [openPool(urls.appUrl, 8), openPool(urls.ownerUrl, 2)];
  }, 120_000);

  afterAll(async () => {
    await Promise.all([pool.end(), owner.end()]);
    await server.stop();
  });

  beforeEach(() => {
    alarms = [];
    behave = () => {};
    inbox = open();
    due = new DueWorker({ pool, clock: new Clock(), handlers: new Map([[parkedKind, inbox.parkedHandler]]), onError: () => {} });
  });

  function open(): Inbox {
    return new Inbox({
      consumer: 'shelter', pool, onAlarm: (alarm) => { alarms.push(alarm); }, backOff: { waitsMs: [1], attempts: 3 },
      handlers: new Map([[handledType, async (event, tx) => {
        tx.write({ name: 'effect', text: 'INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)', values: [event.id, event.key, event.aggregateVersion] });
        await behave(event, tx);
      }]]),
    });
  }

  const effects = async (key: string): Promise<number[]> => (await pool.query<{ version: number }>('SELECT version FROM effect WHERE key = $1 ORDER BY n', [key])).rows.map((row) => row.version);
  const drained = (): Promise<unknown> => eventually(async () => await due.drain() === 0 && (await pool.query('SELECT 1 FROM due')).rowCount === 0);

  it('lets a message die after its last try, with one alarm, and its key wait', async () => {
    const key = randomUUID();
    behave = () => { throw new TypeError('x is not a function'); };
    await inbox.process([message(key, 1), message(key, 2)]);
    expect(await countParked(pool)).toEqual({ retry: 2, dead: 0 });
    await drained();
    const [first, second] = await listParked(pool);
    expect(first).toMatchObject({ key, state: 'dead', attempts: 3, reason: 'TypeError' });
    expect(second).toMatchObject({ key, state: 'retry', attempts: 0, reason: null });
    expect(alarms).toEqual([{ code: 'dead-letter', consumer: 'shelter', topic, key, eventId: first!.eventId, reason: 'TypeError' }]);
    behave = () => {};
    await inTransaction(pool, [], (tx) => replayDead(tx, first!));
    await drained();
    expect(await effects(key)).toEqual([1, 2]);
  });

  it('retries a refusal that time can change, and buries the others at once', async () => {
    const [later, never] = [randomUUID(), randomUUID()];
    behave = ({ key }) => { throw key === later ? new Refusal('consent-key-unknown', { retryAfterSeconds: 1 }) : new Refusal('illegal-transition'); };
    await inbox.process([message(later, 1), message(never, 1)]);
    const states = new Map((await listParked(pool)).map((parked) => [parked.key, parked.state]));
    expect([states.get(later), states.get(never)]).toEqual(['retry', 'dead']);
  });

  it('takes back the effect of one message of a chunk and keeps those of the others', async () => {
    const keys = Array.from({ length: 16 }, () => randomUUID());
    const bad: readonly string[] = [0, 1, 7, 15].map((index) => keys[index]!);
    behave = async ({ key }, tx) => {
      if (!bad.includes(key)) return;
      if (key !== keys[1]) await tx.flush();
      throw new Error('no');
    };
    await inbox.process(keys.map((key) => message(key, 1)));
    expect(inbox.counts).toMatchObject({ handled: 12, parked: 4 });
    for (const key of keys) expect(await effects(key)).toEqual(bad.includes(key) ? [] : [1]);
    const parked = await pool.query('SELECT 1 FROM inbox_parked p JOIN inbox i USING (consumer, event_id) WHERE i.outcome = \'parked\' AND p.pkey = ANY ($1)', [keys]);
    expect(parked.rowCount).toBe(4);
    behave = () => {};
    await drained();
    for (const key of keys) expect(await effects(key)).toEqual([1]);
  });

  it('gives one effect to a message that stands twice in a chunk, and to one that two owners of a partition hold', async () => {
    const messages = Array.from({ length: 48 }, (_, index) => message(`key-${index % 5}-${offset}`, index + 1));
    behave = () => new Promise((resolve) => { setTimeout(resolve, 2); });
    await Promise.all([inbox.process([...messages, messages[3]!]), open().process(messages), open().process(messages)]);
    const ids = messages.map((one) => one.headers.ce_id);
    expect((await pool.query('SELECT event_id FROM effect WHERE event_id = ANY ($1)', [ids])).rowCount).toBe(48);
  });

  it('does not forget a message that queues behind one which is just being settled', async () => {
    const key = randomUUID();
    behave = () => { throw new Error('once'); };
    await inbox.process([message(key, 1)]);
    const settling = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    behave = async ({ aggregateVersion }) => { if (aggregateVersion === 1) { entered.resolve(); await settling.promise; } };
    const retried = eventually(async () => await due.drain() > 0);
    await entered.promise;
    const queued = inbox.process([message(key, 2)]);
    await eventually(async () => (await pool.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)).rowCount! > 0);
    settling.resolve();
    await Promise.all([retried, queued]);
    await drained();
    expect(await effects(key)).toEqual([1, 2]);
  });

  it('keeps neither body nor name of an oversize message, and refuses to replay it', async () => {
    const key = randomUUID();
    await inbox.process([message(key, 1, { value: Buffer.alloc(300_000, '7') })]);
    const parked = (await listParked(pool)).find((one) => one.key === key)!;
    expect(parked).toMatchObject({ state: 'dead', reason: 'too-large' });
    expect((await pool.query('SELECT length(payload) AS size FROM inbox_parked WHERE pkey = $1', [key])).rows).toEqual([{ size: 0 }]);
    await expect(inTransaction(pool, [], (tx) => replayDead(tx, parked))).rejects.toMatchObject({ code: 'gone' });
  });

  it('holds up nobody for a message without a key or with characters that a database refuses', async () => {
    await inbox.process([
      message('', 1, { key: null, headers: {}, value: Buffer.from('no event') }), message('\0', 1, { headers: { ce_type: handledType, odd: '\0' } }), message('after', 7),
    ]);
    expect(await effects('after')).toEqual([7]);
    expect((await listParked(pool, { state: 'dead' })).filter(({ reason }) => reason?.startsWith('attribute-missing') || reason === 'not-json')).toHaveLength(2);
  });

  it('rejects, and has lost nothing, when the database is away', async () => {
    const [key, gone] = [randomUUID(), openPool('postgres://nobody:none@127.0.0.1:1/none', 1)];
    const away = new Inbox({ consumer: 'shelter', pool: gone, onAlarm: () => {}, handlers: new Map([[handledType, async () => {}]]) });
    const one = message(key, 1);
    await expect(away.process([one])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await gone.end();
    await inbox.process([one]);
    expect(await effects(key)).toEqual([1]);
  });

  it('lets a reaction append events of its own, and tries again when another writer took the version', async () => {
    const [key, stream] = [randomUUID(), randomUUID()];
    let version = 0;
    await inTransaction(pool, [acknowledged(stream, 1)], () => {});
    behave = (_, tx) => { version += 1; tx.write(acknowledged(stream, version)); };
    await inbox.process([message(key, 1)]);
    expect(await effects(key)).toEqual([1]);
    expect(version).toBe(2);
  });

  it('forgets what it received a month ago, but nothing that still waits', async () => {
    const [old, waiting] = [randomUUID(), randomUUID()];
    behave = ({ key }) => { if (key === waiting) throw new Error('no'); };
    const messages = [message(old, 1), message(waiting, 1)];
    await inbox.process(messages);
    const ids = messages.map((one) => one.headers.ce_id);
    await owner.query(`UPDATE inbox SET at = now() - interval '31 days' WHERE event_id = ANY ($1)`, [ids]);
    expect(await purgeInbox(pool)).toBe(1);
    expect((await pool.query('SELECT outcome FROM inbox WHERE event_id = ANY ($1)', [ids])).rows).toEqual([{ outcome: 'parked' }]);
  });
});

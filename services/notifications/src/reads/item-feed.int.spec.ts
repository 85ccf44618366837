import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Action } from '@amana/access';
import { Refusal } from '@amana/contracts';
import { InboxContext, type ReceivedEvent } from '@amana/messaging';
import { Clock, Database, inTransaction, SealedStore } from '@amana/persistence';
import { openLocalKeyring } from '@amana/privacy';
import { Denied, Act, allowOf, AuditTrail, Looks, routeOf, StreamEngine } from '@amana/service';
import { type ThrowawayServer, throwawayDatabase, throwawayServer } from '@amana/testing';
import { startPostgres } from '../../../../infra/local/src/postgres.ts';
import { ManageMailAddress } from '../commands/manage-mail-address.ts';
import { MarkItemRead } from '../commands/mark-item-read.ts';
import { Deliveries } from '../deliveries.ts';
import { DeliverySettings } from '../delivery-settings.ts';
import { Items } from '../items.ts';
import { Mailboxes } from '../mailboxes.ts';
import { NotificationsService } from '../notifications.module.ts';
import { OnProvider } from '../reactions/on-provider.ts';
import { OnReferral } from '../reactions/on-referral.ts';
import { Telling } from '../telling.ts';
import { ItemFeed } from './item-feed.ts';

let postgres: ThrowawayServer;
let folder: string;
let house: Awaited<ReturnType<typeof build>>;

/** The part of the service that tells and lists, put together as its module does, without HTTP and bus. */
async function build(urls: Awaited<ReturnType<typeof throwawayDatabase>>, keyringFile: string) {
  const database = new Database(urls);
  const clock = new Clock();
  const keyring = await openLocalKeyring(keyringFile);
  const trail = new AuditTrail({ service: 'notifications', keys: keyring, clock });
  const engine = new StreamEngine({ service: 'notifications', database, clock, trail, projections: NotificationsService.projections, bodySecret: Buffer.alloc(32, 7) });
  const [items, mailboxes] = [new Items(engine), new Mailboxes(engine)];
  const telling = new Telling(items, new Deliveries(engine), mailboxes, clock, new DeliverySettings({ spreadMs: 0 }));
  return {
    database, feed: new ItemFeed(new Looks(engine)), read: new MarkItemRead(items), mail: new ManageMailAddress(mailboxes, new SealedStore(keyring)),
    onReferral: new OnReferral(telling), onProvider: new OnProvider(telling),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amana-items-'));
  postgres = await throwawayServer((stateDir) => startPostgres({ stateDir, durable: false }));
  house = await build(await throwawayDatabase(postgres.adminUrl, 'notifications', NotificationsService.migrations), join(folder, 'keyring'));
}, 60_000);

afterAll(async () => {
  await house?.database.close();
  await postgres?.stop();
  await rm(folder, { recursive: true });
});

/** A request as the edge hands it to a route, by a caller who is let in already. */
function actOf(handler: object, organisationId: string, options: { params?: Record<string, string>; query?: Record<string, string>; body?: object; ifMatch?: string } = {}): Act<never, never> {
  const route = routeOf(handler)!;
  const request = {
    id: randomUUID(), url: route.path, params: options.params ?? {}, query: options.query ?? {}, body: Buffer.from(JSON.stringify(options.body ?? {})),
    headers: { 'idempotency-key': randomUUID(), 'if-match': options.ifMatch }, role: 'focal-point' as const,
    caller: { subject: 'somebody', organisationId, roles: ['focal-point' as const], scopes: ['care:write', 'care:read'], clientId: 'client' },
  };
  return new Act({ route, action: allowOf(handler) as Action, request, reply: { header: () => {}, status: () => {} } }) as Act<never, never>;
}

const eventOf = <Data>(type: string, data: Data): ReceivedEvent<Data> => ({ id: randomUUID(), type, topic: 't', key: randomUUID(), data, at: new Date(), partition: 0, offset: '0' });
const submitted = (toOrg: string, fromOrg = randomUUID()) => eventOf('referral.submitted.v1', { referralId: randomUUID(), fromOrg, toOrg, urgency: 'routine' as const });
const happens = <Data>(event: ReceivedEvent<Data>, reaction: (event: ReceivedEvent<Data>, context: InboxContext) => Promise<void>) => inTransaction(house.database.bus, [], (tx) => reaction(event, new InboxContext([tx])));
const referralHappens = (event: ReturnType<typeof submitted>) => happens(event, (received, context) => house.onReferral.onSubmitted(received, context));
const itemsOf = (organisationId: string, query: Record<string, string> = {}) => house.feed.list(actOf(house.feed.list, organisationId, { query }));
const refused = async (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: unknown) => (error instanceof Refusal ? error.code : Promise.reject(error)));

describe('the list of an organisation', () => {
  it('does not show another organisation\'s item, and puts on record that somebody tried', async () => {
    const organisationId = randomUUID();
    const event = submitted(organisationId);
    await referralHappens(event);
    const { items: [item] } = await itemsOf(organisationId);
    const stranger = actOf(house.feed.one, randomUUID(), { params: { itemId: item!.itemId } });
    await expect(house.feed.one(stranger)).rejects.toMatchObject({ code: 'not-found', subject: { referralId: event.data.referralId } });
    await expect(house.feed.one(stranger)).rejects.toBeInstanceOf(Denied);
    expect(await house.feed.one(actOf(house.feed.one, organisationId, { params: { itemId: item!.itemId } }))).toEqual(item);
  });

  it('numbers items without a gap, however many look at once, and loses none to a cursor', async () => {
    const organisationId = randomUUID();
    const seen: number[] = [];
    let after = 0;
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([1, 2, 3, 4].map(() => referralHappens(submitted(organisationId))));
      await Promise.all([1, 2, 3].map(() => itemsOf(organisationId)));
      for (;;) {
        const page = await itemsOf(organisationId, { after: String(after), limit: '3' });
        seen.push(...page.items.map(({ seq }) => seq));
        after = seen.at(-1)!;
        if (page.next === undefined) break;
      }
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect((await itemsOf(organisationId, { limit: '2' })).items.map(({ seq }) => seq)).toEqual([12, 11]);
  });

  it('remembers what was read', async () => {
    const organisationId = randomUUID();
    await referralHappens(submitted(organisationId));
    const { items: [item] } = await itemsOf(organisationId);
    const read = (by: string, ifMatch: string) => house.read.read(actOf(house.read.read, by, { params: { itemId: item!.itemId }, ifMatch }));
    expect(await refused(read(randomUUID(), '"1"'))).toBe('not-found');
    expect(await refused(read(organisationId, '"7"'))).toBe('version-stale');
    expect(await read(organisationId, '"1"')).toEqual({ itemId: item!.itemId, read: true, version: 2 });
    expect((await itemsOf(organisationId)).items).toMatchObject([{ read: true, version: 2 }]);
  });
});

describe('telling', () => {
  it('tells nobody else', async () => {
    const [fromOrg, toOrg] = [randomUUID(), randomUUID()];
    await referralHappens(submitted(toOrg, fromOrg));
    expect((await itemsOf(fromOrg)).items).toEqual([]);
    expect((await itemsOf(toOrg)).items).toHaveLength(1);
  });

  it('is told once more by a shelter that knows it by its id alone, but not before it was seen, nor by a stranger', async () => {
    const event = submitted(randomUUID(), randomUUID());
    const { referralId, fromOrg, toOrg } = event.data;
    const planned = (organisationId: string) => happens(eventOf('shelter.arrival-planned.v1', { holdId: randomUUID(), referralId, organisationId, plannedAt: new Date().toISOString() }), (received, context) => house.onProvider.onProvided(received, context));
    await expect(planned(toOrg)).rejects.toThrow('not been seen yet');
    await referralHappens(event);
    await planned(randomUUID());
    expect((await itemsOf(fromOrg)).items).toEqual([]);
    await planned(toOrg);
    expect((await itemsOf(fromOrg)).items).toMatchObject([{ kind: 'needs-answer', referralId }]);
  });

  it('makes one mail due, not one for each item', async () => {
    const organisationId = randomUUID();
    await house.mail.register(actOf(house.mail.register, organisationId, { body: { address: 'desk@partner.org', language: 'ar' } }));
    for (let count = 0; count < 3; count += 1) await referralHappens(submitted(organisationId));
    const due = await house.database.app.query('SELECT clock FROM due WHERE kind = \'notifications.mail\' AND key = $1', [organisationId]);
    expect(due.rows).toEqual([{ clock: 'real' }]);
    expect((await house.database.app.query('SELECT 1 FROM event WHERE data::text LIKE \'%desk@%\'')).rowCount).toBe(0);
  });
});

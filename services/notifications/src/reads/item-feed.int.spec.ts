import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InboxContext, type ReceivedEvent } from '@amana/messaging';
import { inTransaction } from '@amana/persistence';
import { Denied } from '@amana/service';
import { type Engine, OneEngine, refusalOf } from '@amana/testing';
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

const house = new OneEngine(NotificationsService, { startPostgres });
const { ask } = house;
const focalPoint = { role: 'focal-point', scopes: ['care:write', 'care:read'] } as const;
let slices: ReturnType<typeof tellingPart>;

/** The part of the service that tells and lists, put together as its module does. */
function tellingPart({ engine, looks, clock, sealed }: Engine) {
  const [items, mailboxes] = [new Items(engine), new Mailboxes(engine)];
  const telling = new Telling(items, new Deliveries(engine), mailboxes, clock, new DeliverySettings({ spreadMs: 0 }));
  return {
    feed: new ItemFeed(looks), read: new MarkItemRead(items), mail: new ManageMailAddress(mailboxes, sealed),
    onReferral: new OnReferral(telling), onProvider: new OnProvider(telling),
  };
}

beforeAll(async () => { slices = tellingPart(await house.start()); }, 60_000);
afterAll(() => house.stop());

const eventOf = <Data>(type: string, data: Data): ReceivedEvent<Data> => ({ id: randomUUID(), type, topic: 't', key: randomUUID(), data, at: new Date(), partition: 0, offset: '0' });
const submitted = (toOrg: string, fromOrg = randomUUID()) => eventOf('referral.submitted.v1', { referralId: randomUUID(), fromOrg, toOrg, urgency: 'routine' as const });
const happens = <Data>(event: ReceivedEvent<Data>, reaction: (event: ReceivedEvent<Data>, context: InboxContext) => Promise<void>) => inTransaction(house.database.bus, [], (tx) => reaction(event, new InboxContext([tx])));
const referralHappens = (event: ReturnType<typeof submitted>) => happens(event, (received, context) => slices.onReferral.onSubmitted(received, context));
const itemsOf = (organisationId: string, query: Record<string, string> = {}) => ask(slices.feed, 'list', { ...focalPoint, organisationId, query });

describe('the list of an organisation', () => {
  it('does not show another organisation\'s item, and puts on record that somebody tried', async () => {
    const organisationId = randomUUID();
    const event = submitted(organisationId);
    await referralHappens(event);
    const { items: [item] } = await itemsOf(organisationId);
    const one = (by: string) => ask(slices.feed, 'one', { ...focalPoint, organisationId: by, params: { itemId: item!.itemId } });
    await expect(one(randomUUID())).rejects.toMatchObject({ code: 'not-found', subject: { referralId: event.data.referralId } });
    await expect(one(randomUUID())).rejects.toBeInstanceOf(Denied);
    expect(await one(organisationId)).toEqual(item);
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
    const read = (by: string, ifMatch: string) => ask(slices.read, 'read', { ...focalPoint, organisationId: by, params: { itemId: item!.itemId }, ifMatch });
    expect(await refusalOf(read(randomUUID(), '"1"'))).toBe('not-found');
    expect(await refusalOf(read(organisationId, '"7"'))).toBe('version-stale');
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
    const planned = (organisationId: string) => happens(eventOf('shelter.arrival-planned.v1', { holdId: randomUUID(), referralId, organisationId, plannedAt: new Date().toISOString() }), (received, context) => slices.onProvider.onProvided(received, context));
    await expect(planned(toOrg)).rejects.toThrow('not been seen yet');
    await referralHappens(event);
    await planned(randomUUID());
    expect((await itemsOf(fromOrg)).items).toEqual([]);
    await planned(toOrg);
    expect((await itemsOf(fromOrg)).items).toMatchObject([{ kind: 'needs-answer', referralId }]);
  });

  it('makes one mail due, not one for each item', async () => {
    const organisationId = randomUUID();
    await ask(slices.mail, 'register', { ...focalPoint, organisationId, body: { address: 'desk@partner.org', language: 'ar' } });
    for (let count = 0; count < 3; count += 1) await referralHappens(submitted(organisationId));
    expect(await house.rows('SELECT clock FROM due WHERE kind = \'notifications.mail\' AND key = $1', [organisationId])).toEqual([{ clock: 'real' }]);
    expect(await house.tablesWith('desk@')).toEqual([]);
  });
});

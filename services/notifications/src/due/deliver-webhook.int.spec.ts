import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { InboxContext } from '@amana/messaging';
import { DueWorker, inTransaction } from '@amana/persistence';
import { verifySignature } from '@amana/privacy';
import { Keys, Log } from '@amana/service';
import { createLogger } from '@amana/telemetry';
import { type Engine, eventually, OneEngine, refusalOf, type SliceRequest } from '@amana/testing';
import { startPostgres } from '../../../../infra/local/src/postgres.ts';
import { ManageWebhooks } from '../commands/manage-webhooks.ts';
import { ReplayDelivery } from '../commands/replay-delivery.ts';
import { Deliveries } from '../deliveries.ts';
import { DeliverySettings } from '../delivery-settings.ts';
import { DeliverWebhook } from './deliver-webhook.ts';
import { Items } from '../items.ts';
import { Mailboxes } from '../mailboxes.ts';
import { NotificationsService } from '../notifications.module.ts';
import { Outbox } from '../outbox.ts';
import { OnReferral } from '../reactions/on-referral.ts';
import { ItemFeed } from '../reads/item-feed.ts';
import { WebhookLog } from '../reads/webhook-log.ts';
import { Telling } from '../telling.ts';
import { contentOf, WebhookSignatures } from '../webhook-signatures.ts';
import { WebhookSender } from '../webhook-sender.ts';
import { Webhooks } from '../webhooks.ts';

interface Call { readonly headers: IncomingHttpHeaders; readonly body: string }

const house = new OneEngine(NotificationsService, { startPostgres });
const { ask } = house;
let receiver: Server;
let hook: string;
let calls: Call[] = [];
/** How the receiver answers the next calls; past its end 204. `0`: never. */
let answers: number[] = [];
let slices: ReturnType<typeof deliveringPart>;

/** The part of the service that delivers, put together as its module does. */
function deliveringPart({ database, engine, looks, clock, sealed, keyring }: Engine, settings: DeliverySettings) {
  const signatures = new WebhookSignatures(new Keys(keyring));
  const [items, webhooks, deliveries, mailboxes] = [new Items(engine), new Webhooks(engine, signatures), new Deliveries(engine), new Mailboxes(engine)];
  const outbox = new Outbox(database, clock, settings, new Log(createLogger({ service: 'notifications', level: 'silent' })));
  const sender = new WebhookSender(settings, signatures);
  const deliver = new DeliverWebhook(deliveries, webhooks, sealed, sender, outbox);
  const errors: unknown[] = [];
  const due = new DueWorker({ pool: database.due, clock, handlers: new Map([[deliver.kind, (row, tx) => deliver.handle(row, tx)]]), onError: (_kind, error) => { errors.push(error); } });
  const telling = new Telling(items, deliveries, mailboxes, clock, settings);
  return {
    due, errors, signatures,
    manage: new ManageWebhooks(webhooks, sealed, settings), replay: new ReplayDelivery(deliveries, clock),
    feed: new ItemFeed(looks), log: new WebhookLog(looks, sealed, signatures), onReferral: new OnReferral(telling),
    stop: async () => { for (const end of [() => due.stop(), () => sender.onModuleDestroy(), () => outbox.onModuleDestroy()]) await end(); },
  };
}

beforeAll(async () => {
  receiver = createServer((incoming, reply) => {
    let body = '';
    incoming.on('data', (part: Buffer) => { body += part.toString(); }).on('end', () => {
      calls.push({ headers: incoming.headers, body });
      const answer = answers.shift() ?? 204;
      if (answer !== 0) reply.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?k=only-theirs`;
  slices = deliveringPart(await house.start(), new DeliverySettings({ spreadMs: 0, allowLoopback: true, leaseMs: 700, timeoutMs: 60_000 }));
  slices.due.start();
}, 60_000);

afterEach(() => {
  calls = [];
  answers = [];
  if (slices.errors.length > 0) throw new AggregateError(slices.errors, 'The due worker met errors');
});

afterAll(async () => {
  await slices?.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => { receiver.close(resolve); });
  await house.stop();
});

/** What an administrator of this organisation asks for. */
const by = (organisationId: string, asked: Partial<SliceRequest> = {}): SliceRequest => ({ role: 'org-admin', scopes: ['care:write', 'care:read'], organisationId, ...asked });
const submitted = (toOrg: string) => ({
  id: randomUUID(), type: 'referral.submitted.v1', topic: 'referral.referral.v1', key: randomUUID(), data: { referralId: randomUUID(), fromOrg: randomUUID(), toOrg, urgency: 'routine' as const }, at: new Date(), partition: 0, offset: '0',
});
const referralHappens = (event: ReturnType<typeof submitted>) => inTransaction(house.database.bus, [], (tx) => slices.onReferral.onSubmitted(event, new InboxContext([tx])));
const register = (organisationId: string, body: object = { url: hook }, key: string = randomUUID()) => ask(slices.manage, 'register', by(organisationId, { body, key }));
const deliveriesOf = async (organisationId: string) => (await ask(slices.log, 'deliveries', by(organisationId))).items;
const webhooksOf = async (organisationId: string) => (await ask(slices.log, 'list', by(organisationId))).items;
const remove = (organisationId: string, webhookId: string) => ask(slices.manage, 'remove', by(organisationId, { params: { webhookId }, ifMatch: '"1"' }));
const itemsOf = (organisationId: string) => ask(slices.feed, 'list', by(organisationId));
const status = async (organisationId: string, wanted: string) => eventually(async () => (await deliveriesOf(organisationId)).find((delivery) => delivery.status === wanted), { what: `a delivery that is ${wanted}` });

describe('registering a webhook', () => {
  it('is refused where the address leads into a network, and leaves nothing behind', async () => {
    const organisationId = randomUUID();
    for (const url of ['https://169.254.169.254/', 'http://10.0.0.1/', 'https://user@partner.org/']) expect(await refusalOf(register(organisationId, { url }))).toBe('webhook-url-refused');
    expect(await webhooksOf(organisationId)).toEqual([]);
  });

  it('answers a retry with the same webhook and the same secret', async () => {
    const [organisationId, key] = [randomUUID(), randomUUID()];
    const first = await register(organisationId, { url: hook, signature: 'v1' }, key);
    const again = await register(organisationId, { url: hook, signature: 'v1' }, key);
    expect(again).toEqual(first);
    expect(first.secret).toMatch(/^whsec_/);
  });

  it('is refused from the sixth on', async () => {
    const organisationId = randomUUID();
    for (let count = 0; count < 5; count += 1) await register(organisationId);
    expect(await refusalOf(register(organisationId))).toBe('validation-failed');
  });

  it('keeps the address sealed, and shows it only to its owner', async () => {
    const organisationId = randomUUID();
    await register(organisationId);
    expect(await webhooksOf(organisationId)).toMatchObject([{ url: hook, status: 'active' }]);
    expect(await webhooksOf(randomUUID())).toEqual([]);
    expect(await house.tablesWith('only-theirs')).toEqual([]);
    expect(await house.rows('SELECT 1 FROM sealed WHERE position($1::bytea in bytes) > 0', [Buffer.from('only-theirs')])).toEqual([]);
  });

  it('does not let another organisation remove it', async () => {
    const organisationId = randomUUID();
    const { webhookId } = await register(organisationId);
    expect(await refusalOf(remove(randomUUID(), webhookId))).toBe('not-found');
    expect((await remove(organisationId, webhookId)).status).toBe('removed');
  });
});

describe('a referral that is submitted', () => {
  it('reaches the receiver\'s list and its webhook, signed, and stands in the referral\'s history', async () => {
    const organisationId = randomUUID();
    await register(organisationId);
    const event = submitted(organisationId);
    await referralHappens(event);
    const delivery = await status(organisationId, 'delivered');
    const { items: [item] } = await itemsOf(organisationId);
    expect(item).toMatchObject({ itemId: delivery.itemId, seq: 1, kind: 'needs-answer', referralId: event.data.referralId, read: false });
    const [call] = calls;
    expect(JSON.parse(call!.body)).toMatchObject({ type: 'item.changed', data: { itemId: item!.itemId } });
    expect(call!.body).not.toContain(event.data.referralId);
    const [key] = await slices.signatures.publicKeys();
    const signed = { id: delivery.deliveryId, timestampS: Number(call!.headers['webhook-timestamp']), body: call!.body };
    expect(verifySignature(key!, contentOf(signed), Buffer.from(String(call!.headers['webhook-signature']).slice(4), 'base64'))).toBe(true);
    expect((await house.leavesOf(event.data.referralId)).map(({ action, recipientOrg }) => [action, recipientOrg])).toEqual([
      ['notification.note', organisationId], ['notification.schedule', organisationId], ['notification.deliver', organisationId], ['notification.read', undefined],
    ]);
  });
});

describe('a delivery that fails', () => {
  it('is tried again from a due row that was written with the failure', async () => {
    const organisationId = randomUUID();
    answers = [500];
    await register(organisationId);
    await referralHappens(submitted(organisationId));
    const failed = await eventually(async () => (await deliveriesOf(organisationId)).find((delivery) => delivery.attempts === 1), { what: 'a recorded failure' });
    expect(failed).toMatchObject({ status: 'waiting', lastStatus: 500, reasonCode: 'server-error' });
    const [due] = await house.rows<{ due_at: Date }>('SELECT due_at FROM due WHERE key = $1', [failed.deliveryId]);
    expect(due!.due_at.toISOString()).toBe(failed.nextAt);
    await house.rows('UPDATE due SET due_at = now() WHERE key = $1', [failed.deliveryId]);
    expect(await status(organisationId, 'delivered')).toMatchObject({ attempts: 2, lastStatus: 204 });
    expect(new Set(calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([failed.deliveryId]));
  });

  it('disables the webhook when the receiver says that it is gone, and nothing more is sent there', async () => {
    const organisationId = randomUUID();
    answers = [410];
    const { webhookId } = await register(organisationId);
    await referralHappens(submitted(organisationId));
    await status(organisationId, 'given-up');
    expect(await webhooksOf(organisationId)).toMatchObject([{ webhookId, status: 'disabled' }]);
    await referralHappens(submitted(organisationId));
    expect(await deliveriesOf(organisationId)).toHaveLength(1);
  });

  it('is given up unsent when its webhook was removed meanwhile', async () => {
    const organisationId = randomUUID();
    answers = [500];
    const { webhookId } = await register(organisationId);
    await referralHappens(submitted(organisationId));
    const failed = await eventually(async () => (await deliveriesOf(organisationId)).find((delivery) => delivery.attempts === 1), { what: 'a recorded failure' });
    await remove(organisationId, webhookId);
    await house.rows('UPDATE due SET due_at = now() WHERE key = $1', [failed.deliveryId]);
    expect(await status(organisationId, 'given-up')).toMatchObject({ reasonCode: 'webhook-ended' });
    expect(calls).toHaveLength(1);
  });

  it('is replayed by the organisation\'s administrator alone, under the same message id', async () => {
    const organisationId = randomUUID();
    await register(organisationId);
    await referralHappens(submitted(organisationId));
    const { deliveryId, version } = await status(organisationId, 'delivered');
    const replay = (organisation: string) => ask(slices.replay, 'replay', by(organisation, { params: { deliveryId }, ifMatch: `"${version}"` }));
    expect(await refusalOf(replay(randomUUID()))).toBe('not-found');
    expect((await replay(organisationId)).status).toBe('waiting');
    await eventually(() => Promise.resolve(calls.length === 2), { what: 'the second call' });
    await status(organisationId, 'delivered');
    expect(calls.map(({ headers }) => headers['webhook-id'])).toEqual([deliveryId, deliveryId]);
  });

  it('is tried again by another when the process that sent it died before it could record', async () => {
    const organisationId = randomUUID();
    answers = [0];
    await register(organisationId);
    await referralHappens(submitted(organisationId));
    await eventually(() => Promise.resolve(calls.length === 1), { what: 'the call that is never answered' });
    // As if the sending process were gone: the lease on the due row ends while nobody has recorded anything.
    await status(organisationId, 'delivered');
    expect(calls.length).toBeGreaterThanOrEqual(2);
    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

import { Controller } from '@nestjs/common';
import { Id, Instant } from '@amana/contracts';
import { type Row, SealedStore } from '@amana/persistence';
import { type Act, Allow, Looks, Read, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';
import { DeliveryStatus } from '../deliveries.ts';
import { MailLanguage } from '../domain/mailbox.ts';
import { SignatureScheme } from '../domain/webhook.ts';
import { WebhookSignatures } from '../webhook-signatures.ts';
import { urlField, WebhookStatus } from '../webhooks.ts';

const Keys = z.object({ keys: z.array(z.object({ kid: z.string(), kty: z.string(), crv: z.string(), x: z.string(), whpk: z.string().describe('The key as Standard Webhooks writes it') })) }).meta({ id: 'WebhookKeys' });
const WebhookList = z.object({
  items: z.array(z.object({ webhookId: Id, url: z.string().optional(), signature: SignatureScheme, status: WebhookStatus, version: z.int(), registeredAt: Instant })),
}).meta({ id: 'WebhookList' });
const MailAddressList = z.object({ items: z.array(z.object({ mailAddressId: Id, language: MailLanguage, active: z.boolean(), version: z.int() })) }).meta({ id: 'MailAddressList' });
const DeliveryLog = z.object({
  items: z.array(z.object({
    deliveryId: Id.describe('The `webhook-id` of the message'), webhookId: Id, itemId: Id, status: DeliveryStatus, attempts: z.int(), lastStatus: z.int().optional(), reasonCode: z.string().optional(),
    nextAt: Instant.optional(), scheduledAt: Instant, version: z.int(),
  })),
  next: z.int().optional(),
}).meta({ id: 'DeliveryLog' });
const LogQuery = z.object({
  status: DeliveryStatus.optional(), limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe('The `next` of the page before'),
});

/** What an organisation's administrator sees of its webhooks: addresses and what became of each message, never more of one than its ids. */
@Controller()
export class WebhookLog {
  readonly #looks: Looks;
  readonly #sealed: SealedStore;
  readonly #signatures: WebhookSignatures;

  constructor(looks: Looks, sealed: SealedStore, signatures: WebhookSignatures) {
    this.#looks = looks;
    this.#sealed = sealed;
    this.#signatures = signatures;
  }

  @Read('GET /v1/notifications/webhook-keys', { summary: 'The public keys that `v1a` signatures are checked with', answer: Keys })
  @Allow('public')
  async keys() {
    return { keys: await this.#signatures.publicKeys() };
  }

  @Read('GET /v1/notifications/webhooks', { summary: 'Your webhooks', answer: WebhookList })
  @Allow('webhook.read')
  list(@TheAct() act: Act) {
    const mine = {
      name: 'webhook-list', values: [act.organisationId],
      text: 'SELECT * FROM webhook WHERE organisation_id = $1 AND status <> \'removed\' ORDER BY registered_at DESC, webhook_id LIMIT 50',
    };
    return this.#looks.show(act, [mine], async ([rows], tx) => {
      const items = [];
      for (const row of rows!) {
        const webhookId = row.webhook_id as string;
        const url = await this.#sealed.find<string>(tx, { caseId: webhookId, field: urlField, version: 1 });
        items.push({ webhookId, url: url?.reveal(), signature: row.signature as SignatureScheme, status: row.status as WebhookStatus, version: row.version as number, registeredAt: (row.registered_at as Date).toISOString() });
      }
      return { answer: { items }, subjects: items.map(({ webhookId, version }): Subject => ({ type: 'webhook', aggregateId: webhookId, publicId: webhookId, version })) };
    });
  }

  @Read('GET /v1/notifications/mail-addresses', { summary: 'Whether your organisation is told by mail', answer: MailAddressList })
  @Allow('webhook.read')
  mailAddresses(@TheAct() act: Act) {
    return this.#looks.show(act, [{ name: 'mailbox-list', text: 'SELECT * FROM mailbox WHERE organisation_id = $1', values: [act.organisationId] }], ([rows]) => ({
      answer: { items: rows!.map((row) => ({ mailAddressId: row.organisation_id as string, language: row.language as MailLanguage, active: row.active as boolean, version: row.version as number })) },
      subjects: rows!.map((row): Subject => ({ type: 'mail-address', aggregateId: row.organisation_id as string, publicId: row.organisation_id as string, version: row.version as number })),
    }));
  }

  @Read('GET /v1/notifications/deliveries', { summary: 'What became of each message to your webhooks, newest first', query: LogQuery, answer: DeliveryLog })
  @Allow('webhook.read')
  deliveries(@TheAct() act: Act<unknown, z.infer<typeof LogQuery>>) {
    const { status, limit, after } = act.query;
    const mine = {
      name: 'delivery-list', values: [act.organisationId, status ?? null, after ?? null, limit + 1],
      text: `SELECT * FROM delivery WHERE organisation_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::bigint IS NULL OR position < $3)
        ORDER BY position DESC LIMIT $4`,
    };
    return this.#looks.show(act, [mine], ([rows]) => {
      const shown = rows!.slice(0, limit);
      return {
        answer: { items: shown.map(toDelivery), ...(rows!.length > limit ? { next: Number(shown.at(-1)!.position) } : {}) },
        subjects: shown.map((row): Subject => ({ type: 'delivery', aggregateId: row.delivery_id as string, publicId: row.delivery_id as string, version: row.version as number })),
      };
    });
  }
}

function toDelivery(row: Row) {
  return {
    deliveryId: row.delivery_id as string, webhookId: row.webhook_id as string, itemId: row.item_id as string, status: row.status as DeliveryStatus, attempts: row.attempts as number,
    lastStatus: (row.last_status as number | null) ?? undefined, reasonCode: (row.reason_code as string | null) ?? undefined, nextAt: (row.next_at as Date | null)?.toISOString(),
    scheduledAt: (row.scheduled_at as Date).toISOString(), version: row.version as number,
  };
}

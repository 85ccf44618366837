import { Injectable } from '@nestjs/common';
import { Id } from '@amana/contracts';
import type { StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type KnownWebhook, SignatureScheme, type Webhook, webhookDecider, type WebhookEvent, webhookEvents } from './domain/webhook.ts';
import { WebhookSignatures } from './webhook-signatures.ts';

export const WebhookStatus = z.enum(['active', 'disabled', 'removed']);
export type WebhookStatus = z.infer<typeof WebhookStatus>;

export const WebhookAnswer = z.object({
  webhookId: Id, status: WebhookStatus, signature: SignatureScheme, version: z.int(),
  secret: z.string().optional().describe('For `v1` only, and only in the answer that registers the webhook'),
  keys: z.string().optional().describe('For `v1a`: where the public key is'),
}).meta({ id: 'WebhookAnswer' });
export type WebhookAnswer = z.infer<typeof WebhookAnswer>;

export const keysPath = '/v1/notifications/webhook-keys';
/** The field under which a webhook's address is sealed. */
export const urlField = 'webhook-url';

const aggregateWith = (signatures: WebhookSignatures): Aggregate<Webhook, WebhookEvent, WebhookAnswer> => ({
  ...webhookDecider,
  name: 'webhook',
  events: Object.values(webhookEvents),
  relations(state, organisationId, params) {
    // Whoever registers one names none; a path that names one which does not exist leads nowhere.
    if (state.status === 'none') return params.webhookId === undefined ? ['own'] : [];
    return state.organisationId === organisationId ? ['own'] : [];
  },
  answer(state, webhookId, version) {
    const { status, signature } = state as KnownWebhook;
    if (signature === 'v1a') return { webhookId, status, signature, version, keys: keysPath };
    return { webhookId, status, signature, version, ...(version === 1 ? { secret: signatures.secretOf(webhookId) } : {}) };
  },
  subject: (state, id) => (state.status === 'none' ? { publicId: id } : { publicId: id, recipientOrg: state.organisationId }),
});

/** Where organisations want to be called. */
@Injectable()
export class Webhooks extends Stream<Webhook, WebhookEvent, WebhookAnswer> {
  constructor(engine: StreamEngine, signatures: WebhookSignatures) {
    super(engine, aggregateWith(signatures));
  }
}

export const webhookTable: Projection = {
  on: Object.values(webhookEvents).map((event) => event.type),
  project(event: StoredEvent) {
    if (event.type === 'notifications.webhook-registered.v1') {
      const data = event.data as z.infer<typeof webhookEvents.Registered.data>;
      return [{
        name: 'webhook-registered', values: [event.stream, data.organisationId, data.signature, event.version, event.at],
        text: 'INSERT INTO webhook (webhook_id, organisation_id, signature, status, version, registered_at) VALUES ($1, $2, $3, \'active\', $4, $5)',
      }];
    }
    const status = event.type === 'notifications.webhook-disabled.v1' ? 'disabled' : 'removed';
    return [{ name: 'webhook-ended', values: [event.stream, status, event.version], text: 'UPDATE webhook SET status = $2, version = $3 WHERE webhook_id = $1' }];
  },
};

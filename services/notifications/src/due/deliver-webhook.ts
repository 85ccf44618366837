import { Injectable } from '@nestjs/common';
import { type DueRow, SealedStore, type Transaction } from '@amana/persistence';
import type { DueSlice } from '@amana/service';
import { meter } from '@amana/telemetry';
import { Deliveries, deliveryDue } from '../deliveries.ts';
import { giveUp, type KnownDelivery, settle } from '../domain/delivery.ts';
import { disable } from '../domain/webhook.ts';
import { Outbox } from '../outbox.ts';
import { type Message, WebhookSender } from '../webhook-sender.ts';
import { urlField, Webhooks } from '../webhooks.ts';

const tries = meter().createCounter('amana.webhook.tries', { description: 'Tries to deliver a webhook, by outcome' });

/**
 * Sends what is due: the due row's transaction only claims the delivery, by putting its row off; the call is made after
 * that commit, and a second transaction records what became of it and schedules what follows.
 */
@Injectable()
export class DeliverWebhook implements DueSlice {
  readonly kind = deliveryDue;
  readonly #deliveries: Deliveries;
  readonly #webhooks: Webhooks;
  readonly #sealed: SealedStore;
  readonly #sender: WebhookSender;
  readonly #outbox: Outbox;

  constructor(deliveries: Deliveries, webhooks: Webhooks, sealed: SealedStore, sender: WebhookSender, outbox: Outbox) {
    this.#deliveries = deliveries;
    this.#webhooks = webhooks;
    this.#sealed = sealed;
    this.#sender = sender;
    this.#outbox = outbox;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    const { state } = await this.#deliveries.load(tx, row.key);
    if (state.status !== 'waiting') return;
    const message = await this.#messageOf(tx, row.key, state);
    if (typeof message === 'string') {
      await this.#deliveries.apply(tx, row.key, { action: 'notification.give-up' }, (delivery) => giveUp(delivery, message));
      return;
    }
    this.#outbox.claim(tx, row, () => this.#send(row.key, state.attempts + 1, message));
  }

  /** What to send, or why there is nothing to send it to. */
  async #messageOf(tx: Transaction, deliveryId: string, { scheduled }: KnownDelivery): Promise<Message | 'webhook-ended' | 'no-address'> {
    const { state: webhook } = await this.#webhooks.load(tx, scheduled.webhookId);
    if (webhook.status !== 'active') return 'webhook-ended';
    const url = await this.#sealed.find<string>(tx, { caseId: scheduled.webhookId, field: urlField, version: 1 });
    return url ? { url: url.reveal(), webhookId: scheduled.webhookId, scheme: webhook.signature, messageId: deliveryId, itemId: scheduled.itemId, notedAt: scheduled.notedAt } : 'no-address';
  }

  async #send(deliveryId: string, attempt: number, message: Message): Promise<void> {
    const outcome = await this.#sender.send(message, this.#outbox.now());
    // The process stops: it is not the receiver's failure, and whoever takes over the lease tries again.
    if (!outcome) return;
    tries.add(1, { outcome: outcome.kind });
    await this.#outbox.record(async (tx, retry) => {
      await this.#deliveries.apply(tx, deliveryId, { action: outcome.kind === 'delivered' ? 'notification.deliver' : 'notification.fail' }, (state) => settle(state, { ...outcome, attempt }, retry));
      if (outcome.kind === 'gone') await this.#webhooks.apply(tx, message.webhookId, { action: 'webhook.disable' }, (state) => disable(state));
    });
  }
}

import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, type Transaction } from '@amana/persistence';
import type { ReceivedEvent } from '@amana/messaging';
import { Deliveries } from './deliveries.ts';
import { DeliverySettings } from './delivery-settings.ts';
import { schedule } from './domain/delivery.ts';
import { note } from './domain/item.ts';
import { mailAbout } from './domain/mailbox.ts';
import { mostWebhooks } from './domain/webhook.ts';
import { type Told, type ToldFact, whoIsTold } from './domain/who-is-told.ts';
import { Items } from './items.ts';
import { Mailboxes } from './mailboxes.ts';

/** Notes an item for whoever is told about an event, and sets its webhooks and its mail on their way: all in the reaction's transaction. */
@Injectable()
export class Telling {
  readonly #items: Items;
  readonly #deliveries: Deliveries;
  readonly #mailboxes: Mailboxes;
  readonly #clock: Clock;
  readonly #settings: DeliverySettings;

  constructor(items: Items, deliveries: Deliveries, mailboxes: Mailboxes, clock: Clock, settings: DeliverySettings) {
    this.#items = items;
    this.#deliveries = deliveries;
    this.#mailboxes = mailboxes;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Tells everybody whom `event` concerns. `referralId`: the referral under which it stands in the history, if any. */
  async tell(tx: Transaction, event: ReceivedEvent, about: { fact: ToldFact; referralId?: string | undefined }): Promise<void> {
    for (const told of whoIsTold(event.type, about.fact)) await this.#tellOne(tx, event, { ...told, referralId: about.referralId });
  }

  async #tellOne(tx: Transaction, cause: ReceivedEvent, told: Told & { referralId: string | undefined }): Promise<void> {
    const { organisationId, kind, referralId } = told;
    // A random id for each organisation: two that are told of one thing cannot find out from it that they were.
    const itemId = randomUUID();
    const about = referralId ? { referralId } : {};
    await this.#items.apply(tx, itemId, { cause, action: 'notification.note' }, (state) => note(state, { organisationId, kind, ...about }));
    const now = this.#clock.real();
    const dueAt = new Date(now.getTime() + (told.urgent ? 0 : this.#settings.random() * this.#settings.spreadMs)).toISOString();
    const active = await tx.query({
      name: 'webhook-active', values: [organisationId, mostWebhooks],
      text: 'SELECT webhook_id FROM webhook WHERE organisation_id = $1 AND status = \'active\' ORDER BY registered_at, webhook_id LIMIT $2',
    });
    for (const { webhook_id: webhookId } of active) {
      await this.#deliveries.apply(tx, randomUUID(), { cause, action: 'notification.schedule' }, (state) =>
        schedule(state, { organisationId, webhookId: webhookId as string, itemId, ...about, notedAt: now.toISOString(), dueAt }));
    }
    if (kind === 'needs-answer') await this.#mailboxes.apply(tx, organisationId, { cause, action: 'notification.mail' }, (state) => mailAbout(state, itemId, now));
  }
}

import type { ServiceDefinition } from '@amana/service';
import { ManageMailAddress } from './commands/manage-mail-address.ts';
import { ManageWebhooks } from './commands/manage-webhooks.ts';
import { MarkItemRead } from './commands/mark-item-read.ts';
import { ReplayDelivery } from './commands/replay-delivery.ts';
import { Deliveries, deliveryTable } from './deliveries.ts';
import { deliverySettings } from './delivery-settings.ts';
import { DeliverWebhook } from './due/deliver-webhook.ts';
import { SendMail } from './due/send-mail.ts';
import { Items, itemTable } from './items.ts';
import { Mailboxes, mailboxTable } from './mailboxes.ts';
import { MailSender } from './mail-sender.ts';
import { Notifications1700000000501 } from './migrations/0001-notifications.ts';
import { Outbox } from './outbox.ts';
import { OnProvider } from './reactions/on-provider.ts';
import { OnReferral } from './reactions/on-referral.ts';
import { OnTransfer } from './reactions/on-transfer.ts';
import { ItemFeed } from './reads/item-feed.ts';
import { WebhookLog } from './reads/webhook-log.ts';
import { Telling } from './telling.ts';
import { WebhookSender } from './webhook-sender.ts';
import { WebhookSignatures } from './webhook-signatures.ts';
import { Webhooks, webhookTable } from './webhooks.ts';

/** Who was told that something waits, and how it reached them: never what it is about. */
export const NotificationsService: ServiceDefinition = {
  name: 'notifications',
  purpose: 'Tells each organisation that an item waits for it, in its list, by signed webhook and by mail; never what it is about.',
  controllers: [ItemFeed, MarkItemRead, ManageWebhooks, ManageMailAddress, ReplayDelivery, WebhookLog],
  reactions: [OnReferral, OnTransfer, OnProvider],
  projections: [itemTable, webhookTable, deliveryTable, mailboxTable],
  due: [DeliverWebhook, SendMail],
  onStart: [],
  providers: [deliverySettings, Items, Webhooks, Deliveries, Mailboxes, Telling, Outbox, WebhookSignatures, WebhookSender, MailSender],
  migrations: [Notifications1700000000501],
  publishes: [],
};

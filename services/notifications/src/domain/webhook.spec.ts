import { describe, it } from '@jest/globals';
import { given } from '@amana/testing';
import { disable, mostWebhooks, register, remove, type Webhook, webhookDecider, type WebhookEvent } from './webhook.ts';

const data = { organisationId: '11111111-1111-4111-8111-111111111111', signature: 'v1a' as const };
const registered: WebhookEvent = { type: 'notifications.webhook-registered.v1', data };
const removed: WebhookEvent = { type: 'notifications.webhook-removed.v1', data: {} };

describe('a webhook', () => {
  it('is refused to an organisation that has as many as it may', () => {
    given<Webhook, WebhookEvent>(webhookDecider).when((state) => register(state, data, mostWebhooks)).refuses('validation-failed');
  });

  it('is not registered twice under one id', () => {
    given<Webhook, WebhookEvent>(webhookDecider, [registered]).when((state) => register(state, data, 0)).refuses('illegal-transition');
  });

  it('is registered, and removed once', () => {
    given<Webhook, WebhookEvent>(webhookDecider).when((state) => register(state, data, 0)).yields('notifications.webhook-registered.v1');
    given<Webhook, WebhookEvent>(webhookDecider, [registered]).when(remove).yields('notifications.webhook-removed.v1');
    given<Webhook, WebhookEvent>(webhookDecider, [registered, removed]).when(remove).yields();
  });

  it('is disabled when the receiver says that it is gone, and does not come back by that', () => {
    given<Webhook, WebhookEvent>(webhookDecider, [registered]).when(disable).yields('notifications.webhook-disabled.v1');
    given<Webhook, WebhookEvent>(webhookDecider, [registered, removed]).when(disable).yields();
    given<Webhook, WebhookEvent>(webhookDecider).when(disable).yields();
  });
});

import { type EventOf, Id, privateEvent, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

/** How a message is signed: `v1a` by our Ed25519 key, which anybody can check; `v1` by a secret that both sides hold. */
export const SignatureScheme = z.enum(['v1a', 'v1']);
export type SignatureScheme = z.infer<typeof SignatureScheme>;

/** An organisation has this many at most: each item is sent to all of them. */
export const mostWebhooks = 5;

/** The address itself is sealed: it may carry a partner's own secret. */
export const webhookEvents = {
  Registered: privateEvent('notifications.webhook-registered.v1', z.strictObject({ organisationId: Id, signature: SignatureScheme })),
  Disabled: privateEvent('notifications.webhook-disabled.v1', z.strictObject({ reasonCode: z.enum(['gone']) })),
  Removed: privateEvent('notifications.webhook-removed.v1', z.strictObject({})),
} as const;
export type WebhookEvent = EventOf<typeof webhookEvents>;

export type KnownWebhook = { readonly status: 'active' | 'disabled' | 'removed'; readonly organisationId: string; readonly signature: SignatureScheme };
export type Webhook = { readonly status: 'none' } | KnownWebhook;

export const webhookDecider: Decider<Webhook, WebhookEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'notifications.webhook-registered.v1') return { status: 'active', ...event.data };
    if (state.status === 'none') return state;
    return { ...state, status: event.type === 'notifications.webhook-disabled.v1' ? 'disabled' : 'removed' };
  },
};

type Decision = readonly WebhookEvent[] | Refusal;

/** Registers a webhook. `others`: how many active ones the organisation has. */
export function register(state: Webhook, data: z.infer<typeof webhookEvents.Registered.data>, others: number): Decision {
  if (state.status !== 'none') return new Refusal('illegal-transition');
  if (others >= mostWebhooks) return new Refusal('validation-failed', { errors: [{ pointer: '/url', code: 'too-many-webhooks' }] });
  return [{ type: 'notifications.webhook-registered.v1', data }];
}

/** Ends a webhook for good; what waits for it is given up. */
export function remove(state: Webhook): Decision {
  return state.status === 'active' || state.status === 'disabled' ? [{ type: 'notifications.webhook-removed.v1', data: {} }] : [];
}

/** The receiver said that it is gone (410): it is not called again. */
export function disable(state: Webhook): readonly WebhookEvent[] {
  return state.status === 'active' ? [{ type: 'notifications.webhook-disabled.v1', data: { reasonCode: 'gone' } }] : [];
}

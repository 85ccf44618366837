import { type EventOf, Id, Instant, privateEvent, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';
import type { SendOutcome } from './send-outcome.ts';
import { nextTryAt, type RetryOptions, webhookWaitsMs } from './retry-plan.ts';

const Reason = z.string().regex(/^[a-z-]{1,40}$/);
const attempt = z.int().min(1).max(100);

/** One item on its way to one webhook. */
export const deliveryEvents = {
  Scheduled: privateEvent('notifications.delivery-scheduled.v1', z.strictObject({ organisationId: Id, webhookId: Id, itemId: Id, referralId: Id.optional(), notedAt: Instant, dueAt: Instant })),
  Succeeded: privateEvent('notifications.delivery-succeeded.v1', z.strictObject({ attempt, status: z.int() })),
  Failed: privateEvent('notifications.delivery-failed.v1', z.strictObject({ attempt, reasonCode: Reason, status: z.int().optional(), nextAt: Instant })),
  GivenUp: privateEvent('notifications.delivery-given-up.v1', z.strictObject({ attempt: z.int().min(0).max(100), reasonCode: Reason, status: z.int().optional() })),
  Replayed: privateEvent('notifications.delivery-replayed.v1', z.strictObject({ dueAt: Instant })),
} as const;
export type DeliveryEvent = EventOf<typeof deliveryEvents>;
type Scheduled = z.infer<typeof deliveryEvents.Scheduled.data>;

export interface KnownDelivery {
  readonly status: 'waiting' | 'delivered' | 'given-up';
  readonly scheduled: Scheduled;
  /** Tries since it was scheduled or replayed. */
  readonly attempts: number;
}
export type Delivery = { readonly status: 'none' } | KnownDelivery;

export const deliveryDecider: Decider<Delivery, DeliveryEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'notifications.delivery-scheduled.v1') return { status: 'waiting', scheduled: event.data, attempts: 0 };
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'notifications.delivery-succeeded.v1': return { ...state, status: 'delivered', attempts: event.data.attempt };
      case 'notifications.delivery-failed.v1': return { ...state, attempts: event.data.attempt };
      case 'notifications.delivery-given-up.v1': return { ...state, status: 'given-up' };
      case 'notifications.delivery-replayed.v1': return { ...state, status: 'waiting', attempts: 0 };
    }
  },
};

type Decision = readonly DeliveryEvent[] | Refusal;

export function schedule(state: Delivery, data: Scheduled): Decision {
  return state.status === 'none' ? [{ type: 'notifications.delivery-scheduled.v1', data }] : [];
}

/**
 * What became of a try. A try that another replica has recorded meanwhile changes nothing. What failed is tried again as
 * the plan says; past its end, and when the receiver is gone, it is given up.
 */
export function settle(state: Delivery, outcome: SendOutcome & { attempt: number }, retry: RetryOptions): Decision {
  if (state.status !== 'waiting' || outcome.attempt !== state.attempts + 1) return [];
  const status = outcome.status === undefined ? {} : { status: outcome.status };
  if (outcome.kind === 'delivered') return [{ type: 'notifications.delivery-succeeded.v1', data: { attempt: outcome.attempt, status: outcome.status } }];
  const nextAt = outcome.kind === 'gone' ? undefined : nextTryAt(webhookWaitsMs, outcome.attempt, { ...retry, retryAfterMs: outcome.retryAfterMs });
  const reasonCode = outcome.kind === 'gone' ? 'gone' : outcome.reasonCode;
  return nextAt
    ? [{ type: 'notifications.delivery-failed.v1', data: { attempt: outcome.attempt, reasonCode, ...status, nextAt: nextAt.toISOString() } }]
    : [{ type: 'notifications.delivery-given-up.v1', data: { attempt: outcome.attempt, reasonCode, ...status } }];
}

/** There is nothing left to send it to. */
export function giveUp(state: Delivery, reasonCode: 'webhook-ended' | 'no-address'): readonly DeliveryEvent[] {
  return state.status === 'waiting' ? [{ type: 'notifications.delivery-given-up.v1', data: { attempt: state.attempts, reasonCode } }] : [];
}

/** Sends again what was delivered or given up; under the same message id, so that the receiver can tell. */
export function replayDelivery(state: Delivery, now: Date): Decision {
  if (state.status !== 'delivered' && state.status !== 'given-up') return new Refusal('illegal-transition');
  return [{ type: 'notifications.delivery-replayed.v1', data: { dueAt: now.toISOString() } }];
}

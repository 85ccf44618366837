import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import fc from 'fast-check';
import { type Delivery, deliveryDecider, type DeliveryEvent, deliveryEvents, giveUp, replayDelivery, schedule, settle } from './delivery.ts';
import { webhookWaitsMs } from './retry-plan.ts';
import { failureOf, outcomeOf } from './send-outcome.ts';

const now = new Date('2024-01-01T00:00:00.000Z');
const retry = { now, random: () => 0.5 };
const data = {
  organisationId: '11111111-1111-4111-8111-111111111111', webhookId: '22222222-2222-4222-8222-222222222222', itemId: '33333333-3333-4333-8333-333333333333', notedAt: now.toISOString(), dueAt: now.toISOString(),
};
const scheduled: DeliveryEvent = { type: 'notifications.delivery-scheduled.v1', data };
const failedOn = (attempt: number): DeliveryEvent => ({ type: 'notifications.delivery-failed.v1', data: { attempt, reasonCode: 'timeout', nextAt: now.toISOString() } });
const delivered: DeliveryEvent = { type: 'notifications.delivery-succeeded.v1', data: { attempt: 1, status: 204 } };
const failure = { kind: 'failed' as const, reasonCode: 'timeout' };

describe('a delivery', () => {
  it('is not replayed while it waits, nor before it exists', () => {
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled]).when((state) => replayDelivery(state, now)).refuses('illegal-transition');
    given<Delivery, DeliveryEvent>(deliveryDecider).when((state) => replayDelivery(state, now)).refuses('illegal-transition');
  });

  it('is scheduled once', () => {
    given<Delivery, DeliveryEvent>(deliveryDecider).when((state) => schedule(state, data)).yields('notifications.delivery-scheduled.v1');
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled]).when((state) => schedule(state, data)).yields();
  });

  it('changes nothing by a try that another replica has recorded already', () => {
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, failedOn(1)]).when((state) => settle(state, { ...failure, attempt: 1 }, retry)).yields();
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, delivered]).when((state) => settle(state, { ...failure, attempt: 2 }, retry)).yields();
  });

  it('is tried again after a failure, as the plan says', () => {
    const [event] = given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled]).when((state) => settle(state, { ...failure, attempt: 1 }, retry)).yields('notifications.delivery-failed.v1');
    expect(event!.data).toEqual({ attempt: 1, reasonCode: 'timeout', nextAt: '2024-01-01T00:00:05.000Z' });
  });

  it('waits as long as the receiver asks for, but no longer than a day', () => {
    const after = (retryAfter: number) => settle({ status: 'waiting', scheduled: data, attempts: 0 }, { ...failure, attempt: 1, retryAfterMs: retryAfter }, retry) as DeliveryEvent[];
    expect(after(600_000)[0]!.data).toMatchObject({ nextAt: '2024-01-01T00:10:00.000Z' });
    expect(after(10 ** 12)[0]!.data).toMatchObject({ nextAt: '2024-01-02T00:00:00.000Z' });
  });

  it('is given up after its last try, and at once when the receiver is gone', () => {
    const tries = Array.from({ length: webhookWaitsMs.length - 1 }, (_, index) => failedOn(index + 1));
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, ...tries]).when((state) => settle(state, { ...failure, attempt: webhookWaitsMs.length }, retry)).yields('notifications.delivery-given-up.v1');
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled]).when((state) => settle(state, { kind: 'gone', status: 410, attempt: 1 }, retry)).yields('notifications.delivery-given-up.v1');
  });

  it('is given up when its webhook ended, and never twice', () => {
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled]).when((state) => giveUp(state, 'webhook-ended')).yields('notifications.delivery-given-up.v1');
    given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, delivered]).when((state) => giveUp(state, 'webhook-ended')).yields();
  });

  it('begins its plan anew when it is replayed', () => {
    const [event] = given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, delivered]).when((state) => replayDelivery(state, now)).yields('notifications.delivery-replayed.v1');
    expect(given<Delivery, DeliveryEvent>(deliveryDecider, [scheduled, delivered, event!]).state).toMatchObject({ status: 'waiting', attempts: 0 });
  });

  it('stores nothing that its own contract does not allow, whatever failed', () => {
    fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), fc.string(), (status, code) => {
      for (const outcome of [outcomeOf({ status, now }), failureOf(Object.assign(new Error(code), { code, name: code }))]) {
        const events = settle({ status: 'waiting', scheduled: data, attempts: 0 }, { ...outcome, attempt: 1 }, retry) as DeliveryEvent[];
        for (const event of events) Object.values(deliveryEvents).find(({ type }) => type === event.type)!.data.parse(event.data);
      }
    }), { seed: 410, numRuns: 300 });
  });
});

import { Injectable } from '@nestjs/common';
import { Id } from '@amana/contracts';
import { cancelDue, scheduleDue, type Statement, type StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type Delivery, deliveryDecider, type DeliveryEvent, deliveryEvents, type KnownDelivery } from './domain/delivery.ts';

export const deliveryDue = 'notifications.delivery';

export const DeliveryStatus = z.enum(['waiting', 'delivered', 'given-up']);
export type DeliveryStatus = z.infer<typeof DeliveryStatus>;

export const DeliveryAnswer = z.object({ deliveryId: Id, status: DeliveryStatus, attempts: z.int(), version: z.int() }).meta({ id: 'DeliveryAnswer' });
export type DeliveryAnswer = z.infer<typeof DeliveryAnswer>;

const aggregate: Aggregate<Delivery, DeliveryEvent, DeliveryAnswer> = {
  ...deliveryDecider,
  name: 'delivery',
  events: Object.values(deliveryEvents),
  relations: (state, organisationId) => (state.status !== 'none' && state.scheduled.organisationId === organisationId ? ['own'] : []),
  answer: (state, deliveryId, version) => ({ deliveryId, status: (state as KnownDelivery).status, attempts: state.status === 'none' ? 0 : state.attempts, version }),
  subject: (state, id) => (state.status === 'none' ? { publicId: id } : { publicId: id, referralId: state.scheduled.referralId, recipientOrg: state.scheduled.organisationId }),
};

/** Every item on its way to a webhook. */
@Injectable()
export class Deliveries extends Stream<Delivery, DeliveryEvent, DeliveryAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

type Data<K extends keyof typeof deliveryEvents> = z.infer<(typeof deliveryEvents)[K]['data']>;

/** The delivery log, and with it the due row of the next try: whatever records a failure schedules what follows it. */
export const deliveryTable: Projection = {
  on: Object.values(deliveryEvents).map((event) => event.type),
  project(event: StoredEvent): readonly Statement[] {
    switch (event.type) {
      case 'notifications.delivery-scheduled.v1': {
        const { organisationId, webhookId, itemId, dueAt } = event.data as Data<'Scheduled'>;
        return [{
          name: 'delivery-scheduled', values: [event.stream, organisationId, webhookId, itemId, event.version, dueAt, event.at],
          text: `INSERT INTO delivery (delivery_id, organisation_id, webhook_id, item_id, status, attempts, version, next_at, scheduled_at)
            VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $6, $7)`,
        }, dueFor(event, dueAt)];
      }
      case 'notifications.delivery-failed.v1': {
        const { attempt, reasonCode, status, nextAt } = event.data as Data<'Failed'>;
        return [moved(event, { status: 'waiting', attempts: attempt, lastStatus: status, reasonCode, nextAt }), dueFor(event, nextAt)];
      }
      case 'notifications.delivery-succeeded.v1': {
        const { attempt, status } = event.data as Data<'Succeeded'>;
        return [moved(event, { status: 'delivered', attempts: attempt, lastStatus: status }), cancelDue(deliveryDue, event.stream)];
      }
      case 'notifications.delivery-given-up.v1': {
        const { attempt, reasonCode, status } = event.data as Data<'GivenUp'>;
        return [moved(event, { status: 'given-up', attempts: attempt, lastStatus: status, reasonCode }), cancelDue(deliveryDue, event.stream)];
      }
      default: {
        const { dueAt } = event.data as Data<'Replayed'>;
        return [moved(event, { status: 'waiting', attempts: 0, nextAt: dueAt }), dueFor(event, dueAt)];
      }
    }
  },
};

function dueFor(event: StoredEvent, at: string): Statement {
  return scheduleDue({ kind: deliveryDue, key: event.stream, at: new Date(at), clock: 'real' });
}

function moved(event: StoredEvent, to: { status: string; attempts: number; lastStatus?: number | undefined; reasonCode?: string; nextAt?: string }): Statement {
  return {
    name: 'delivery-moved', values: [event.stream, to.status, to.attempts, to.lastStatus ?? null, to.reasonCode ?? null, to.nextAt ?? null, event.version],
    text: 'UPDATE delivery SET status = $2, attempts = $3, last_status = $4, reason_code = $5, next_at = $6, version = $7 WHERE delivery_id = $1',
  };
}

import { Injectable } from '@nestjs/common';
import { Id } from '@amana/contracts';
import type { StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type Item, itemDecider, type ItemEvent, itemEvents } from './domain/item.ts';

export const ItemAnswer = z.object({ itemId: Id, read: z.boolean(), version: z.int() }).meta({ id: 'ItemAnswer' });
export type ItemAnswer = z.infer<typeof ItemAnswer>;

const aggregate: Aggregate<Item, ItemEvent, ItemAnswer> = {
  ...itemDecider,
  name: 'notification-item',
  events: Object.values(itemEvents),
  relations: (state, organisationId) => (state.status !== 'none' && state.organisationId === organisationId ? ['own'] : []),
  answer: (state, itemId, version) => ({ itemId, read: state.status === 'read', version }),
  subject: (state, id) => (state.status === 'none' ? { publicId: id } : { publicId: id, referralId: state.referralId, recipientOrg: state.organisationId }),
};

/** What each organisation was told about. */
@Injectable()
export class Items extends Stream<Item, ItemEvent, ItemAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

/** The list of an organisation. Its sequence numbers are given when somebody looks: see the feed. */
export const itemTable: Projection = {
  on: Object.values(itemEvents).map((event) => event.type),
  project(event: StoredEvent) {
    if (event.type === 'notifications.item-read.v1') {
      return [{ name: 'item-read', values: [event.stream, event.version, event.at], text: 'UPDATE item SET read_at = $3, version = $2 WHERE item_id = $1' }];
    }
    const data = event.data as z.infer<typeof itemEvents.Noted.data>;
    return [{
      name: 'item-noted', values: [event.stream, data.organisationId, data.kind, data.referralId ?? null, event.at, event.version],
      text: 'INSERT INTO item (item_id, organisation_id, kind, referral_id, noted_at, version) VALUES ($1, $2, $3, $4, $5, $6)',
    }];
  },
};

import { Injectable } from '@nestjs/common';
import { Id } from '@amana/contracts';
import { cancelDue, scheduleDue, type Statement, type StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type Mailbox, mailboxDecider, type MailboxEvent, mailboxEvents, MailLanguage } from './domain/mailbox.ts';

export const mailDue = 'notifications.mail';
/** The field under which an organisation's address is sealed. */
export const addressField = 'mail-address';

export const MailAddressAnswer = z.object({ mailAddressId: Id, active: z.boolean(), language: MailLanguage, version: z.int() }).meta({ id: 'MailAddressAnswer' });
export type MailAddressAnswer = z.infer<typeof MailAddressAnswer>;

const aggregate: Aggregate<Mailbox, MailboxEvent, MailAddressAnswer> = {
  ...mailboxDecider,
  name: 'mail-address',
  events: Object.values(mailboxEvents),
  // The stream is the organisation itself: whoever names another one names nothing.
  relations: (_state, organisationId, params) => (params.mailAddressId === undefined || params.mailAddressId === organisationId ? ['own'] : []),
  answer: (state, mailAddressId, version) => ({ mailAddressId, active: state.active, language: state.language, version }),
  subject: (_state, id) => ({ publicId: id, recipientOrg: id }),
};

/** The mail address of each organisation that wants mail. */
@Injectable()
export class Mailboxes extends Stream<Mailbox, MailboxEvent, MailAddressAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

/** Who has an address, and the due row of the next mail. */
export const mailboxTable: Projection = {
  on: Object.values(mailboxEvents).map((event) => event.type),
  project(event: StoredEvent): readonly Statement[] {
    const { language, dueAt, nextAt } = event.data as { language?: string; dueAt?: string; nextAt?: string };
    const active = event.type === 'notifications.mail-address-registered.v1' ? true : event.type === 'notifications.mail-address-removed.v1' ? false : null;
    const row: Statement = {
      name: 'mailbox-moved', values: [event.stream, language ?? null, active, event.version],
      text: `INSERT INTO mailbox (organisation_id, language, active, version) VALUES ($1, COALESCE($2, 'fr'), COALESCE($3, false), $4)
        ON CONFLICT (organisation_id) DO UPDATE SET language = COALESCE($2, mailbox.language), active = COALESCE($3, mailbox.active), version = $4`,
    };
    const at = dueAt ?? nextAt;
    if (at) return [row, scheduleDue({ kind: mailDue, key: event.stream, at: new Date(at), clock: 'real' })];
    return event.type === 'notifications.mail-address-registered.v1' ? [row] : [row, cancelDue(mailDue, event.stream)];
  },
};

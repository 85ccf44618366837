import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id, Instant } from '@amana/contracts';
import { cancelDue, scheduleDue, type Statement, type StoredEvent, type Transaction } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { privateTransferEvents, publishedTransferEvents, type KnownTransfer, type Transfer, transferDecider, type TransferEvent, type TransferFacts } from './domain/transfer.ts';
import { Held } from './held.ts';
import { openReferralsOf } from './referral-links.ts';

/** The kind of the due row that ends an unanswered offer. */
export const transferExpiry = 'intake.transfer-expiry';

export const TransferStatus = z.enum(['offered', 'accepted', 'declined', 'expired']);
export type TransferStatus = z.infer<typeof TransferStatus>;

export const TransferAnswer = z.object({ transferId: Id, status: TransferStatus, version: z.int(), expiresAt: Instant.optional() }).meta({ id: 'TransferAnswer' });
export type TransferAnswer = z.infer<typeof TransferAnswer>;

/** Transfers live with the old owner: the receiving organisation answers at the old owner's path. */
@Injectable()
export class Transfers extends Stream<Transfer, TransferEvent, TransferAnswer> {
  constructor(engine: StreamEngine, held: Held) {
    super(engine, transferAggregate(held));
  }
}

function transferAggregate(held: Held): Aggregate<Transfer, TransferEvent, TransferAnswer> {
  return {
    ...transferDecider,
    name: 'transfer',
    events: [...Object.values(privateTransferEvents), ...Object.values(publishedTransferEvents)] as EventDefinition[],
    relations(state, organisationId, params) {
      if (!held.holds(params.organisationId ?? '')) return [];
      if (state.status === 'none') return params.transferId === undefined && params.organisationId === organisationId ? ['own'] : [];
      if (params.organisationId !== state.fromOrg) return [];
      if (organisationId === state.fromOrg) return ['own'];
      return organisationId === state.toOrg ? ['receiving'] : [];
    },
    answer: (state, transferId, version) => ({ transferId, status: (state as KnownTransfer).status, version, ...(state.status === 'none' ? {} : { expiresAt: state.expiresAt }) }),
    subject: (state, transferId) => (state.status === 'none' ? { publicId: transferId } : { publicId: transferId, recipientOrg: state.toOrg }),
  };
}

/** The old owner's list of transfers, and the clock of each offer. */
export const transferBoard: Projection = {
  on: [...Object.values(privateTransferEvents), ...Object.values(publishedTransferEvents)].map((definition) => definition.type),
  project(event: StoredEvent): readonly Statement[] {
    const { type, data } = event as unknown as TransferEvent;
    if (type === 'intake.transfer-prepared.v1') {
      return [{ name: 'transfer-board-prepare', values: [event.stream, data.caseId, event.version, event.at], text: 'INSERT INTO transfer_board (transfer_id, case_id, status, version, changed_at) VALUES ($1, $2, \'prepared\', $3, $4)' }];
    }
    if (type === 'intake.transfer-offered.v1') {
      return [{
        name: 'transfer-board-offer', values: [event.stream, data.fromOrg, data.toOrg, data.consentRef, data.expiresAt, event.version, event.at],
        text: 'UPDATE transfer_board SET from_org = $2, to_org = $3, consent_ref = $4, expires_at = $5, status = \'offered\', version = $6, changed_at = $7 WHERE transfer_id = $1',
      }, scheduleDue({ kind: transferExpiry, key: event.stream, at: new Date(data.expiresAt), clock: 'business' })];
    }
    const status = { 'intake.transfer-accepted.v1': 'accepted', 'intake.transfer-declined.v1': 'declined', 'intake.transfer-expired.v1': 'expired' }[type];
    return [
      { name: 'transfer-board-settle', values: [event.stream, status, event.version, event.at], text: 'UPDATE transfer_board SET status = $2, version = $3, changed_at = $4 WHERE transfer_id = $1' },
      cancelDue(transferExpiry, event.stream),
    ];
  },
};

/** What the decision needs to know, with the consent's row locked against a withdrawal until the decision is committed. */
export async function transferFacts(tx: Transaction, about: { caseId: string; consentRef: string; now: Date }): Promise<TransferFacts> {
  const [row] = await tx.query({
    name: 'transfer-consent', values: [about.consentRef],
    text: 'SELECT case_id, organisation_id, purpose, until, withdrawn_at FROM consent WHERE consent_ref = $1 FOR SHARE',
  });
  const live = row !== undefined && row.withdrawn_at === null && (row.until as Date).getTime() > about.now.getTime();
  return {
    consent: row && { caseId: row.case_id as string, organisationId: row.organisation_id as string, purpose: row.purpose as string, live },
    openReferrals: (await openReferralsOf(tx, about.caseId)).length,
  };
}

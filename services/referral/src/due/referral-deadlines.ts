import { Injectable } from '@nestjs/common';
import { referralEvents } from '@amana/contracts';
import { cancelDue, type DueRow, scheduleDue, type Statement, type StoredEvent, type Transaction } from '@amana/persistence';
import type { DueSlice, Projection } from '@amana/service';
import type { z } from 'zod';
import { escalate, expire } from '../domain/referral.ts';
import { Referrals } from '../referrals.ts';

const escalation = 'referral.escalation';
const expiry = 'referral.expiry';
/** At half and at the end of the decide clock somebody is told; then it expires. */
const levels = [0.5, 1] as const;

/** Submission starts a referral's clocks; whatever answers or ends it stops them. */
export const referralDeadlines: Projection = {
  on: ['referral.submitted.v1', 'referral.accepted.v1', 'referral.declined.v1', 'referral.cancelled.v1', 'referral.withdrawn.v1', 'referral.expired.v1', 'referral.failed.v1'],
  project(event: StoredEvent): readonly Statement[] {
    if (event.type !== 'referral.submitted.v1') return [cancelDue(escalation, event.stream), cancelDue(expiry, event.stream)];
    const { decideBy, expiresAt } = event.data as z.infer<typeof referralEvents.ReferralSubmitted.data>;
    const first = new Date(event.at.getTime() + (Date.parse(decideBy) - event.at.getTime()) * levels[0]);
    return [
      scheduleDue({ kind: escalation, key: event.stream, at: first, clock: 'business', payload: { level: 1, decideBy } }),
      scheduleDue({ kind: expiry, key: event.stream, at: new Date(expiresAt), clock: 'business' }),
    ];
  },
};

/** Tells that an answer is due, twice. */
@Injectable()
export class EscalateReferral implements DueSlice {
  readonly kind = escalation;
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    const level = row.payload.level as number;
    await this.#referrals.apply(tx, row.key, { action: 'referral.escalate' }, (state) => escalate(state, level));
    if (level < levels.length) tx.write(scheduleDue({ kind: escalation, key: row.key, at: new Date(row.payload.decideBy as string), clock: 'business', payload: { ...row.payload, level: level + 1 } }));
  }
}

/** No referral is ever silent: unanswered past its clock it expires, and what else fits her is offered. */
@Injectable()
export class ExpireReferral implements DueSlice {
  readonly kind = expiry;
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    await this.#referrals.apply(tx, row.key, { action: 'referral.expire' }, async (state, { now }) =>
      expire(state, state.status === 'none' ? [] : await stillOffered(tx, state.draft), now));
  }
}

/** What is left of the match, with capacity, beyond the recipients she named. */
async function stillOffered(tx: Transaction, draft: { matchedServiceIds: readonly string[]; recipients: readonly { serviceId: string }[] }): Promise<string[]> {
  const named = new Set(draft.recipients.map((recipient) => recipient.serviceId));
  const left = draft.matchedServiceIds.filter((serviceId) => !named.has(serviceId));
  const rows = await tx.query({
    name: 'still-offered', values: [left],
    text: 'SELECT service_id FROM service WHERE service_id = ANY($1) AND status = \'active\' AND capacity_status IS DISTINCT FROM \'no-capacity\'',
  });
  const open = new Set(rows.map((row) => row.service_id as string));
  return left.filter((serviceId) => open.has(serviceId)).slice(0, 10);
}

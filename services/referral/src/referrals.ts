import { Injectable } from '@nestjs/common';
import type { EventDefinition } from '@amana/contracts';
import { Id, referralEvents } from '@amana/contracts';
import { type Aggregate, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type KnownReferral, privateReferralEvents, recipientOf, type Referral, referralDecider, type ReferralEvent } from './domain/referral.ts';

export const ReferralStatus = z.enum(['draft', 'submitted', 'acknowledged', 'accepted', 'scheduled', 'in-progress', 'completed', 'closed', 'declined', 'expired', 'cancelled', 'withdrawn', 'failed']);
export type ReferralStatus = z.infer<typeof ReferralStatus>;

/** What every command on a referral answers, and its retry again. */
export const ReferralAnswer = z.object({ referralId: Id, status: ReferralStatus, version: z.int() }).meta({ id: 'ReferralAnswer' });
export type ReferralAnswer = z.infer<typeof ReferralAnswer>;

const aggregate: Aggregate<Referral, ReferralEvent, ReferralAnswer> = {
  ...referralDecider,
  name: 'referral',
  events: [...Object.values(referralEvents), ...Object.values(privateReferralEvents)] as EventDefinition[],
  relations(state, organisationId, params) {
    // Whoever begins a draft stands in no relation yet; the route that creates one names no referral.
    if (state.status === 'none') return params.referralId === undefined ? ['network'] : [];
    if (organisationId === state.draft.fromOrg) return ['sending'];
    // A draft has not left the sender: to its recipient it does not exist.
    return organisationId === recipientOf(state).organisationId && state.status !== 'draft' ? ['receiving'] : [];
  },
  answer: (state, referralId, version) => ({ referralId, status: (state as KnownReferral).status, version }),
  subject: (state, id) => (state.status === 'none'
    ? { publicId: id, referralId: id }
    : { publicId: id, referralId: id, recipientOrg: recipientOf(state).organisationId }),
};

/** All referrals of the network, each its own stream. */
@Injectable()
export class Referrals extends Stream<Referral, ReferralEvent, ReferralAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

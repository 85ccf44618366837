import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id, Instant, intakeEvents } from '@amana/contracts';
import type { Statement, StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type Consent, consentDecider, type ConsentEvent, type KnownConsent, privateConsentEvents } from './domain/consent.ts';

export const WithdrawalAnswer = z.object({
  consentRef: Id, status: z.enum(['given', 'withdrawn']), version: z.int(), effectiveAt: Instant.optional(), releaseHoldAt: Instant.optional(), disposeNotBefore: Instant.optional(),
}).meta({ id: 'WithdrawalAnswer' });
export type WithdrawalAnswer = z.infer<typeof WithdrawalAnswer>;

const consentAggregate: Aggregate<Consent, ConsentEvent, WithdrawalAnswer> = {
  ...consentDecider,
  name: 'consent',
  events: [...Object.values(privateConsentEvents), intakeEvents.ConsentWithdrawn] as EventDefinition[],
  relations(state, organisationId, params) {
    const own = state.status !== 'none' && state.ownerOrg === organisationId && params.organisationId === organisationId && params.caseId === state.caseId;
    return own ? ['own'] : [];
  },
  answer(state, consentRef, version) {
    if (state.status === 'none' || !state.withdrawal) return { consentRef, status: (state as KnownConsent).status, version };
    const { effectiveAt, releaseHoldAt, disposeNotBefore } = state.withdrawal;
    return { consentRef, status: state.status, version, effectiveAt, releaseHoldAt, disposeNotBefore };
  },
  subject: (state, consentRef) => (state.status === 'none'
    ? { publicId: consentRef }
    : { publicId: consentRef, recipientOrg: state.consent.organisationId, consent: { ref: consentRef, version: state.withdrawal?.version ?? 1 } }),
};

/**
 * Each consent is a stream of its own under its reference, apart from the case: what is published about it, and the
 * audit entries of it, tell nothing of the case or of her other consents.
 */
@Injectable()
export class Consents extends Stream<Consent, ConsentEvent, WithdrawalAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, consentAggregate);
  }
}

/** The rows that disclosures lock: FOR SHARE to read through, FOR UPDATE to withdraw. */
export const consentTable: Projection = {
  on: [privateConsentEvents.Given.type, intakeEvents.ConsentWithdrawn.type],
  project(event: StoredEvent): readonly Statement[] {
    const { type, data } = event as unknown as ConsentEvent;
    if (type === 'intake.consent-given.v1') {
      const { consent } = data;
      return [{
        name: 'consent-given',
        values: [consent.consentRef, data.caseId, data.ownerOrg, consent.organisationId, consent.serviceId ?? null, consent.categories, consent.purpose, consent.givenAt, consent.until, consent.language],
        text: `INSERT INTO consent (consent_ref, case_id, owner_org, organisation_id, service_id, categories, purpose, given_at, until, language, version)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)`,
      }];
    }
    if (type !== 'intake.consent-withdrawn.v1') return [];
    return [{
      name: 'consent-withdrawn', values: [data.consentRef, data.version, data.effectiveAt, data.disposeNotBefore],
      text: 'UPDATE consent SET version = $2, withdrawn_at = $3, dispose_not_before = $4 WHERE consent_ref = $1',
    }];
  },
};

/** A withdrawal waits for disclosures in flight, and later ones wait for it: the database's order is the order in law. */
export function lockConsent(consentRef: string): Statement {
  return { name: 'consent-lock', values: [consentRef], text: 'SELECT consent_ref FROM consent WHERE consent_ref = $1 FOR UPDATE' };
}

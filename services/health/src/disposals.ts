import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id } from '@amana/contracts';
import type { ReceivedEvent } from '@amana/messaging';
import type { Statement, Transaction } from '@amana/persistence';
import { type Aggregate, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { acknowledge, type Disposal, disposalDecider, type DisposalEvent, disposalEvents } from './domain/disposal.ts';

export const DisposalAnswer = z.object({ consentRef: Id, state: z.string(), disposition: z.string().optional(), version: z.int() }).meta({ id: 'ClinicDisposalAnswer' });
export type DisposalAnswer = z.infer<typeof DisposalAnswer>;

const aggregate: Aggregate<Disposal, DisposalEvent, DisposalAnswer> = {
  ...disposalDecider,
  name: 'disposal',
  events: Object.values(disposalEvents) as EventDefinition[],
  relations: (state, organisationId, params) => (state.status !== 'none' && state.organisationId === organisationId && params.organisationId === organisationId ? ['own'] : []),
  answer: (state, consentRef, version) => ({ consentRef, state: state.status, ...(state.status !== 'none' && state.disposition ? { disposition: state.disposition } : {}), version }),
  subject: (_state, consentRef) => ({ publicId: consentRef }),
};

/** What became of her data after a consent ended: one stream per consent, named by its reference. */
@Injectable()
export class Disposals extends Stream<Disposal, DisposalEvent, DisposalAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }

  /**
   * Acknowledges the end of a consent if a clinic here holds data under it. Withdrawal and acceptance come by two topics
   * in any order: whichever comes second finds what the first one left.
   */
  async acknowledgeIfHeld(tx: Transaction, consentRef: string, cause: ReceivedEvent): Promise<void> {
    const [held] = await tx.query({
      name: 'health-consent-held', values: [consentRef],
      text: 'SELECT r.organisation_id, e.dispose_not_before FROM medical_referral r JOIN ended_consent e USING (consent_ref) WHERE r.consent_ref = $1 AND r.data_held LIMIT 1',
    });
    if (!held) return;
    const withdrawal = { consentRef, organisationId: held.organisation_id as string, disposeNotBefore: (held.dispose_not_before as Date).toISOString() };
    await this.apply(tx, consentRef, { cause, action: 'consent.acknowledge-withdrawal' }, (state) => acknowledge(state, withdrawal));
  }
}

/** Destroys the keys of what was sealed in this consent's case once that has ended. A treatment that goes on keeps its own record. */
export function destroyKeysOf(consentRef: string): Statement {
  return {
    name: 'health-destroy-keys', values: [consentRef],
    text: `UPDATE keys.case_key SET wrapped = '', destroyed_at = now() WHERE destroyed_at IS NULL AND case_id IN
      (SELECT referral_id FROM medical_referral WHERE consent_ref = $1 AND status IN ('completed', 'ended'))`,
  };
}

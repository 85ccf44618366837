import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { ConsentPurpose, DataCategory, Id, Instant, Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { Consents } from '../consents.ts';
import { listedRecipients } from '../directory.ts';
import { Conversation } from '../domain/case-events.ts';
import { recordConsents } from '../domain/consent.ts';
import { Receipts } from '../receipts.ts';

const Recipient = z.strictObject({
  organisationId: Id, serviceId: Id.optional(), categories: z.array(DataCategory).min(1).max(16), purpose: ConsentPurpose,
  until: Instant.optional().describe('Six months ahead at most, which is also the default'),
}).meta({ id: 'ConsentRecipient' });

export const ConsentConversationRecord = z.strictObject({
  conversation: Conversation, recipients: z.array(Recipient).min(1).max(10).describe('In her order; three at most'), decision: z.enum(['given', 'refused']),
}).meta({ id: 'ConsentRecord' });
export type ConsentConversationRecord = z.infer<typeof ConsentConversationRecord>;

const ConsentsAnswer = z.object({
  caseId: Id, version: z.int(),
  consents: z.array(z.object({
    consentRef: Id, organisationId: Id, serviceId: Id.optional(), categories: z.array(DataCategory), purpose: ConsentPurpose, until: Instant,
    receipt: z.string().describe('Signed; a draft of a referral names it, and she may have it read to her'),
  })),
}).meta({ id: 'ConsentsAnswer' });

/** One conversation in which she says with whom what may be shared, or that she does not want it. */
@Controller()
export class RecordConsent {
  readonly #cases: Cases;
  readonly #consents: Consents;
  readonly #receipts: Receipts;

  constructor(cases: Cases, consents: Consents, receipts: Receipts) {
    this.#cases = cases;
    this.#consents = consents;
    this.#receipts = receipts;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/consents', {
    summary: 'Record what she consented to, or refused, in one conversation about up to three recipients', status: 201, body: ConsentConversationRecord, answer: ConsentsAnswer,
    refusals: ['consent-not-recorded', 'case-closed', 'illegal-transition', 'too-many-recipients', 'occurred-in-future', 'safe-contact-missing', 'conflict-known', 'service-unknown', 'recipient-suspended', 'protocol-missing', 'category-over-ceiling'],
  })
  @Allow('consent.record')
  async record(@TheAct() act: Act<ConsentConversationRecord>): Promise<z.infer<typeof ConsentsAnswer>> {
    const { caseId, version, given = [] } = await this.#cases.commit(act, act.id('caseId'), async (state, body, { now, tx, id }) => {
      const listed = await listedRecipients(tx, body.recipients.map((recipient) => recipient.organisationId));
      const recipients = body.recipients.map((recipient) => ({
        ...recipient, categories: [...new Set(recipient.categories)], consentRef: randomUUID(), listed: listed.get(recipient.organisationId),
      }));
      const decision = recordConsents(state, { ...body, recipients }, now);
      if (decision instanceof Refusal) return decision;
      for (const event of decision) {
        if (event.type !== 'intake.consents-given.v1') continue;
        for (const consent of event.data.consents) {
          // Without the caller's request id: it would join the consent's entries with the case's for whoever reads the ledger.
          await this.#consents.apply(tx, consent.consentRef, { action: 'consent.record' }, () => [{ type: 'intake.consent-given.v1', data: { caseId: id, ownerOrg: act.organisationId, consent } }]);
        }
      }
      return decision;
    });
    const consents = await Promise.all(given.map(async (consent) => {
      const { consentRef, organisationId, serviceId, categories, purpose, until } = consent;
      return { consentRef, organisationId, ...(serviceId ? { serviceId } : {}), categories, purpose, until, receipt: await this.#receipts.of(act.organisationId, consent) };
    }));
    return { caseId, version, consents };
  }
}

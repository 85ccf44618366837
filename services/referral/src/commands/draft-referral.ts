import { Controller } from '@nestjs/common';
import { DeliveryMode, Id, Instant, PlacementClass, Refusal, Urgency } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { draft } from '../domain/referral.ts';
import { resolveRecipients } from '../recipients.ts';
import { ReferralAnswer, Referrals } from '../referrals.ts';

/** No fact about her: only whom she agreed to, how soon, and which kind of place. */
export const ReferralDraft = z.strictObject({
  recipients: z.array(z.strictObject({ serviceId: Id, receipt: z.string().min(1).max(8192).describe('As recording her consent at intake answered it') })).min(1).max(3).describe('In the order in which she wants them asked'),
  urgency: Urgency,
  serveBy: Instant.optional().describe('For a clinical window, instead of the incident itself'),
  placementClass: PlacementClass.optional(),
  dependantsCount: z.int().min(0).max(20).default(0),
  matchedServiceIds: z.array(Id).max(50).default([]).describe('The services your match offered, in its order'),
  deliveryMode: DeliveryMode.default('system'),
  occurredAt: Instant.optional().describe('When a phone or paper referral was really made'),
}).meta({ id: 'ReferralDraft' });
export type ReferralDraft = z.infer<typeof ReferralDraft>;

@Controller()
export class DraftReferral {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Command('POST /v1/referral/referrals', {
    summary: 'Prepare a referral; nothing leaves your organisation yet', creates: true, body: ReferralDraft, answer: ReferralAnswer,
    refusals: ['service-unknown', 'consent-invalid', 'consent-key-unknown', 'occurred-in-future'],
  })
  @Allow('referral.draft')
  draft(@TheAct() act: Act<ReferralDraft>): Promise<ReferralAnswer> {
    return this.#referrals.create(act, async (state, { recipients: named, ...body }, { now, tx, id }) => {
      const recipients = await resolveRecipients(tx, named, { fromOrg: act.organisationId, referralId: id, now });
      if (recipients instanceof Refusal) return recipients;
      return draft(state, { ...body, fromOrg: act.organisationId, recipients, occurredAt: body.occurredAt ?? now.toISOString() }, now);
    });
  }
}

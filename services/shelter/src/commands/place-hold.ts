import { Controller } from '@nestjs/common';
import { Id, PlacementClass, Refusal, Instant } from '@amana/contracts';
import { isUniqueViolation } from '@amana/persistence';
import { type Act, Allow, Command, type DecisionContext, Looks, TheAct } from '@amana/service';
import { z } from 'zod';
import { type Hold, holdUntil, place, ShelterRole } from '../domain/hold.ts';
import { chooseBeds } from '../domain/site.ts';
import { HoldAnswer, Holds, liveHoldsOf } from '../holds.ts';
import { findReferral } from '../referrals.ts';
import { freeBeds } from '../sites.ts';

export const HoldRequest = z.strictObject({
  referralId: Id, placementClass: PlacementClass,
  bedsCount: z.int().min(1).max(20).optional().describe('If not given: one for her and one for each dependant'),
  arriveBy: Instant.optional(), responsibleRole: ShelterRole.describe('Whom to ask for: a role, never a name'), firstContactAt: Instant.optional(),
}).meta({ id: 'HoldRequest' });
export type HoldRequest = z.infer<typeof HoldRequest>;

/** Somebody was faster for a bed: how often another one is looked for. The second look already sees them all. */
const maxLooks = 3;

interface Look {
  readonly state: Hold;
  readonly body: HoldRequest;
  readonly context: DecisionContext;
  readonly afresh: boolean;
  readonly onChosen: () => void;
}

/** A shelter says yes by taking beds, here, where they are; the referral follows. */
@Controller()
export class PlaceHold {
  readonly #holds: Holds;
  readonly #looks: Looks;

  constructor(holds: Holds, looks: Looks) {
    this.#holds = holds;
    this.#looks = looks;
  }

  @Command('POST /v1/shelter/:organisationId/holds', {
    summary: 'Hold beds for a referral: this is how a shelter says yes', creates: true, body: HoldRequest, answer: HoldAnswer, refusals: ['illegal-transition', 'already-held', 'no-free-bed'],
  })
  @Allow('hold.place')
  async place(@TheAct() act: Act<HoldRequest>): Promise<HoldAnswer> {
    for (let look = 1; ; look += 1) {
      let chosen = false;
      try {
        const answer = await this.#holds.create(act, (state, body, context) => this.#decide(act, { state, body, context, afresh: look > 1, onChosen: () => { chosen = true; } }));
        act.header('location', `/v1/shelter/${act.organisationId}/holds/${answer.holdId}`);
        return answer;
      } catch (error) {
        // Two answers to one referral at the same moment: the index let one of them through.
        if (isUniqueViolation(error, 'hold_live_referral')) throw new Refusal('already-held');
        const beaten = chosen && error instanceof Refusal && error.code === 'no-free-bed';
        if (!beaten || look >= maxLooks) throw error;
      }
    }
  }

  async #decide(act: Act, { state, body, context: { now, tx, id }, afresh, onChosen }: Look) {
    const { referralId, placementClass, responsibleRole, firstContactAt, arriveBy } = body;
    const referral = await findReferral(tx, referralId);
    if (referral?.organisationId !== act.organisationId) {
      // Another's referral and one that has not arrived look the same; either way it stands on record that it was tried.
      await this.#looks.require(act, [], { type: 'referral', aggregateId: referralId, publicId: referralId, referralId });
      throw new Refusal('not-found');
    }
    const { fromOrg, serviceId, urgency, dependantsCount } = referral;
    const beds = chooseBeds(await freeBeds(tx, { serviceId, placementClass, afresh }), body.bedsCount ?? 1 + dependantsCount);
    const asked = { status: referral.status, expiresAt: referral.expiresAt, alreadyHeld: (await liveHoldsOf(tx, referralId)).length > 0 };
    if (!beds) return place(state, asked, undefined, now);
    onChosen();
    return place(state, asked, {
      holdId: id, referralId, organisationId: act.organisationId, fromOrg, serviceId, siteId: beds[0]!.siteId, bedIds: beds.map((bed) => bed.bedId), placementClass, dependantsCount,
      responsibleRole, ...(firstContactAt ? { firstContactAt } : {}), ...(arriveBy ? { arriveBy } : {}), expiresAt: holdUntil(urgency, now),
    }, now);
  }
}

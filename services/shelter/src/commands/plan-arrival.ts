import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { Instant, Refusal } from '@amana/contracts';
import { SealedStore, type Transaction } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { nameEscort, planArrival, tellsPlace } from '../domain/arrival-plan.ts';
import { type Hold, ShelterRole } from '../domain/hold.ts';
import { HoldAnswer, Holds, meetingPointOf } from '../holds.ts';
import { addressField } from '../sites.ts';

export const ArrivalPlan = z.strictObject({
  meetingPoint: z.string().trim().min(1).max(200).describe('A neutral place that everybody may know: never the house'), meetAt: Instant, askForRole: ShelterRole,
}).meta({ id: 'ArrivalPlan' });
export type ArrivalPlan = z.infer<typeof ArrivalPlan>;

export const Escort = z.strictObject({ escortSubject: z.string().regex(/^[\w.:@|-]{1,200}$/).describe('The account, as `sub` of its token names it') }).meta({ id: 'Escort' });
export type Escort = z.infer<typeof Escort>;

/** How she is met, and by whom she is brought. Whatever is planned, the address stays inside. */
@Controller()
export class PlanArrival {
  readonly #holds: Holds;
  readonly #sealed: SealedStore;

  constructor(holds: Holds, sealed: SealedStore) {
    this.#holds = holds;
    this.#sealed = sealed;
  }

  @Command('PUT /v1/shelter/:organisationId/arrival-plans/:referralId', {
    summary: 'Plan her arrival: a neutral meeting point, a time, a role to ask for; a later plan replaces it', body: ArrivalPlan, answer: HoldAnswer,
    refusals: ['illegal-transition', 'consent-withdrawn', 'address-in-plan'],
  })
  @Allow('arrival.plan')
  async plan(@TheAct() act: Act<ArrivalPlan>): Promise<HoldAnswer> {
    const holdId = await this.#holds.idFor(act.id('referralId'));
    return await this.#holds.commit(act, holdId, async (state, { meetingPoint, meetAt, askForRole }, { tx }) => {
      const planId = randomUUID();
      const decision = planArrival(state, { planId, meetAt, askForRole }, await this.#tellsPlace(tx, state, meetingPoint));
      if (!(decision instanceof Refusal)) await this.#sealed.put(tx, meetingPointOf(holdId, planId), meetingPoint);
      return decision;
    });
  }

  /** Repeating it changes nothing and the last name counts, so that the sender needs no version of a hold that it cannot read. */
  @Command('PUT /v1/shelter/:organisationId/arrival-plans/:referralId/escort', {
    summary: 'Name who accompanies her; only that account can open the plan', creates: true, status: 200, body: Escort, answer: HoldAnswer,
    refusals: ['illegal-transition', 'consent-withdrawn', 'arrival-plan-missing'],
  })
  @Allow('arrival.name-escort')
  async nameEscort(@TheAct() act: Act<Escort>): Promise<HoldAnswer> {
    return await this.#holds.commit(act, await this.#holds.idFor(act.id('referralId')), (state, { escortSubject }) => nameEscort(state, escortSubject));
  }

  async #tellsPlace(tx: Transaction, state: Hold, meetingPoint: string): Promise<boolean> {
    if (state.status === 'none') return false;
    const address = await this.#sealed.find<string>(tx, { caseId: state.placed.siteId, field: addressField, version: 1 });
    return address?.map((text) => tellsPlace(meetingPoint, text)).reveal() ?? false;
  }
}

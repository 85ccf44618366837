import { Controller } from '@nestjs/common';
import { Day, Id, Instant, Refusal } from '@amana/contracts';
import type { Sealed } from '@amana/privacy';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, etagOf, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import type { KnownHold } from '../domain/hold.ts';
import { Holds, HoldState, meetingPointOf } from '../holds.ts';

const Plan = z.object({ meetAt: Instant, askForRole: z.string(), escortNamed: z.boolean(), openedAt: z.array(Instant).describe('When the escort opened it: an opening that you cannot explain is a reason for a new plan') });
const HoldView = z.object({
  holdId: Id, referralId: Id, fromOrg: Id, serviceId: Id, siteId: Id, bedIds: z.array(Id), state: HoldState, version: z.int(), placementClass: z.string(), dependantsCount: z.int(), responsibleRole: z.string(),
  firstContactAt: Instant.optional(), arriveBy: Instant.optional(), expiresAt: Instant, releaseAt: Instant.optional().describe('Her consent has ended; until then the bed waits for her'),
  plan: Plan.optional(), startedOn: Day.optional(), endedOn: Day.optional(),
}).meta({ id: 'HoldView' });
type HoldView = z.infer<typeof HoldView>;
const PlanView = Plan.extend({ holdId: Id, version: z.int(), meetingPoint: z.string() }).meta({ id: 'ArrivalPlanView' });
type PlanView = z.infer<typeof PlanView>;

@Controller()
export class HoldReads {
  readonly #looks: Looks;
  readonly #holds: Holds;
  readonly #sealed: SealedStore;

  constructor(looks: Looks, holds: Holds, sealed: SealedStore) {
    this.#looks = looks;
    this.#holds = holds;
    this.#sealed = sealed;
  }

  @Read('GET /v1/shelter/:organisationId/holds/:holdId', { summary: 'A hold and the stay that grew out of it', answer: HoldView })
  @Allow('stay.read')
  async one(@TheAct() act: Act): Promise<HoldView> {
    const view = await this.#look(act, act.id('holdId'), (hold, version) => toView(hold, version));
    act.header('etag', etagOf(view.version));
    return view;
  }

  @Read('GET /v1/shelter/:organisationId/arrival-plans/:referralId', { summary: 'Your arrival plan for a referral; its ETag is that of the hold', answer: PlanView, refusals: ['arrival-plan-missing'] })
  @Allow('stay.read')
  async plan(@TheAct() act: Act): Promise<PlanView> {
    const holdId = await this.#holds.idFor(act.id('referralId'));
    const { meetingPoint, ...plan } = await this.#look(act, holdId, async (hold, version, find) => {
      const meetingPoint = hold.plan && await find(hold.plan.planId);
      if (!meetingPoint) throw new Refusal('arrival-plan-missing');
      return { ...planOf(hold)!, holdId, version, meetingPoint };
    });
    act.header('etag', etagOf(plan.version));
    return { ...plan, meetingPoint: meetingPoint.reveal() };
  }

  async #look<T>(act: Act, holdId: string, view: (hold: KnownHold, version: number, find: (planId: string) => Promise<Sealed<string> | undefined>) => T | Promise<T>): Promise<T> {
    return await this.#looks.show(act, [], async (_rows, tx) => {
      const { state, version } = await this.#holds.load(tx, holdId);
      const subject = this.#holds.subjectOf(state, holdId, version);
      await this.#looks.require(act, this.#holds.aggregate.relations(state, act.organisationId, act.params), subject);
      const find = (planId: string) => this.#sealed.find<string>(tx, meetingPointOf(holdId, planId));
      return { answer: await view(state as KnownHold, version, find), subjects: [subject] };
    });
  }
}

function toView(hold: KnownHold, version: number): HoldView {
  const { holdId, referralId, fromOrg, serviceId, siteId, bedIds, placementClass, dependantsCount, responsibleRole, firstContactAt, arriveBy, expiresAt } = hold.placed;
  const plan = planOf(hold);
  return {
    holdId, referralId, fromOrg, serviceId, siteId, bedIds: [...bedIds], state: hold.status, version, placementClass, dependantsCount, responsibleRole, expiresAt,
    ...(firstContactAt ? { firstContactAt } : {}), ...(arriveBy ? { arriveBy } : {}), ...(hold.release ? { releaseAt: hold.release.at } : {}),
    ...(plan ? { plan } : {}), ...(hold.startedOn ? { startedOn: hold.startedOn } : {}), ...(hold.endedOn ? { endedOn: hold.endedOn } : {}),
  };
}

function planOf(hold: KnownHold): z.infer<typeof Plan> | undefined {
  return hold.plan && { meetAt: hold.plan.meetAt, askForRole: hold.plan.askForRole, escortNamed: hold.escortSubject !== undefined, openedAt: [...hold.openings] };
}

import { Controller } from '@nestjs/common';
import { Instant, Refusal } from '@amana/contracts';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, Command, Looks, TheAct } from '@amana/service';
import { z } from 'zod';
import { openPlan, planToOpen } from '../domain/arrival-plan.ts';
import { Holds, meetingPointOf } from '../holds.ts';

const Opening = z.strictObject({});
const OpenedPlan = z.object({ meetingPoint: z.string(), meetAt: Instant, askForRole: z.string() }).meta({ id: 'OpenedPlan' });
type OpenedPlan = z.infer<typeof OpenedPlan>;

/** The escort reads where to meet, as often as needed until she has arrived. The shelter sees each opening at its hold. */
@Controller()
export class OpenArrivalPlan {
  readonly #holds: Holds;
  readonly #looks: Looks;
  readonly #sealed: SealedStore;

  constructor(holds: Holds, looks: Looks, sealed: SealedStore) {
    this.#holds = holds;
    this.#looks = looks;
    this.#sealed = sealed;
  }

  @Command('POST /v1/shelter/:organisationId/arrival-plans/:referralId/openings', {
    summary: 'Open the arrival plan as its named escort', creates: true, body: Opening, answer: OpenedPlan, refusals: ['illegal-transition', 'consent-withdrawn', 'arrival-plan-missing', 'gone'],
  })
  @Allow('arrival.open-plan')
  async open(@TheAct() act: Act): Promise<OpenedPlan> {
    const holdId = await this.#holds.idFor(act.id('referralId'));
    await this.#holds.commit(act, holdId, async (state, _body, { now }) => {
      // A colleague of the escort learns as little as a stranger.
      if (state.status !== 'none' && state.escortSubject !== act.caller.subject) await this.#looks.require(act, [], this.#holds.subjectOf(state, holdId, 0));
      return openPlan(state, now);
    });
    return await this.#show(act, holdId);
  }

  /** Decided anew for a request that comes again: what was open when it first came may be closed by now. */
  async #show(act: Act, holdId: string): Promise<OpenedPlan> {
    const shown = await this.#looks.show(act, [], async (_rows, tx) => {
      const { state, version } = await this.#holds.load(tx, holdId);
      const subject = this.#holds.subjectOf(state, holdId, version);
      if (state.status === 'none' || state.escortSubject !== act.caller.subject) await this.#looks.require(act, [], subject);
      const plan = planToOpen(state);
      if (plan instanceof Refusal) throw plan;
      const meetingPoint = await this.#sealed.find<string>(tx, meetingPointOf(holdId, plan.planId));
      if (!meetingPoint) throw new Refusal('gone');
      return { answer: { plan, meetingPoint }, subjects: [subject] };
    });
    const { plan: { meetAt, askForRole }, meetingPoint } = shown;
    return { meetingPoint: meetingPoint.reveal(), meetAt, askForRole };
  }
}

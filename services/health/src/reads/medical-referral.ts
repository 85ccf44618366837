import { Controller } from '@nestjs/common';
import { Id, Instant, Refusal } from '@amana/contracts';
import type { Sealed } from '@amana/privacy';
import { SealedStore, type Transaction } from '@amana/persistence';
import { type Act, Allow, etagOf, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { type KnownMedicalReferral, openCase } from '../domain/medical-referral.ts';
import { type AppointmentNeeds, type Consultation, consultationOf, MedicalReferrals, MedicalStatus, needsOf, subjectOf } from '../medical-referrals.ts';

const AppointmentView = z.object({
  appointmentId: Id, attempt: z.int(), state: z.enum(['booked', 'missed', 'attended']), startsAt: Instant, accompaniment: z.boolean(), interpreterLanguage: z.string().optional(), clinicianSex: z.string().optional(),
});
const MedicalReferralView = z.object({
  referralId: Id, fromOrg: Id, serviceId: Id, status: MedicalStatus, version: z.int(), urgency: z.string(), serveBy: Instant, endReason: z.string().optional(), appointments: z.array(AppointmentView),
  consultation: z.object({ outcome: z.string(), outcomeCode: z.string().optional(), nextStep: z.string().optional() }).optional(),
  links: z.object({ profile: z.string(), disclosure: z.string() }).describe('Her bands, and what she consented to: at the sender\'s intake'),
}).meta({ id: 'MedicalReferralView' });
type MedicalReferralView = z.infer<typeof MedicalReferralView>;

@Controller()
export class MedicalReferralRead {
  readonly #looks: Looks;
  readonly #medical: MedicalReferrals;
  readonly #sealed: SealedStore;

  constructor(looks: Looks, medical: MedicalReferrals, sealed: SealedStore) {
    this.#looks = looks;
    this.#medical = medical;
    this.#sealed = sealed;
  }

  @Read('GET /v1/health/:organisationId/medical-referrals/:referralId', {
    summary: 'One of your cases: appointments, outcome, and where to read what she consented to', answer: MedicalReferralView, refusals: ['acceptance-not-yet-seen', 'gone'],
  })
  @Allow('medical.read')
  async one(@TheAct() act: Act): Promise<MedicalReferralView> {
    const referralId = act.id('referralId');
    const { view, reveal } = await this.#looks.show(act, [], async (_rows, tx) => {
      const { state, version } = await this.#medical.load(tx, referralId);
      const subject = subjectOf(referralId, version);
      await this.#looks.require(act, this.#medical.aggregate.relations(state, act.organisationId, act.params), subject);
      const known = openCase(state);
      if (known instanceof Refusal) throw known;
      return { answer: { view: viewOf(known, version), reveal: await this.#unseal(tx, known) }, subjects: [subject] };
    });
    act.header('etag', etagOf(view.version));
    // Only now: the look stands on record.
    return reveal(view);
  }

  /** Unseals what belongs to the case, and answers how to put it into a view once that may leave. */
  async #unseal(tx: Transaction, known: KnownMedicalReferral): Promise<(view: MedicalReferralView) => MedicalReferralView> {
    const { referralId } = known.asked;
    const needs: (Sealed<AppointmentNeeds> | undefined)[] = [];
    for (const { appointmentId } of known.appointments) needs.push(await this.#sealed.find(tx, needsOf(referralId, appointmentId)));
    const consultation = known.consultation && await this.#sealed.find<Consultation>(tx, consultationOf(referralId, known.consultation.consultationId));
    return (view) => ({
      ...view,
      appointments: view.appointments.map((appointment, index) => ({ ...appointment, ...needs[index]?.reveal() })),
      ...(view.consultation ? { consultation: { ...view.consultation, ...consultation?.reveal() } } : {}),
    });
  }
}

function viewOf(known: KnownMedicalReferral, version: number): MedicalReferralView {
  const { referralId, fromOrg, serviceId, urgency, serveBy } = known.asked;
  const disclosure = `/v1/intake/${fromOrg}/disclosures/${referralId}`;
  return {
    referralId, fromOrg, serviceId, status: known.status, version, urgency, serveBy, ...(known.endReason ? { endReason: known.endReason } : {}),
    appointments: known.appointments.map(({ appointmentId, attempt, state, startsAt, accompaniment }) => ({ appointmentId, attempt, state, startsAt: startsAt!, accompaniment: accompaniment ?? false })),
    ...(known.consultation?.outcome ? { consultation: { outcome: known.consultation.outcome } } : {}),
    links: { profile: `${disclosure}/profile`, disclosure },
  };
}

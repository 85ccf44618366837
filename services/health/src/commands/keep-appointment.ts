import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { Instant, Language, Refusal } from '@amana/contracts';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { book, recordAttendance } from '../domain/medical-referral.ts';
import { type AppointmentNeeds, MedicalAnswer, MedicalReferrals, needsOf } from '../medical-referrals.ts';

const Booking = z.strictObject({
  startsAt: Instant, interpreterLanguage: Language.optional(), clinicianSex: z.enum(['female', 'male', 'any']).default('any'), accompaniment: z.boolean().default(false),
}).meta({ id: 'AppointmentBooking' });
const Attendance = z.strictObject({ attended: z.boolean() }).meta({ id: 'Attendance' });

/** A time for her, and whether she came. */
@Controller()
export class KeepAppointment {
  readonly #medical: MedicalReferrals;
  readonly #sealed: SealedStore;

  constructor(medical: MedicalReferrals, sealed: SealedStore) {
    this.#medical = medical;
    this.#sealed = sealed;
  }

  @Command('POST /v1/health/:organisationId/medical-referrals/:referralId/appointments', {
    summary: 'Book an appointment, or another one after she did not come', creates: true, body: Booking, answer: MedicalAnswer, refusals: ['acceptance-not-yet-seen', 'gone', 'illegal-transition'],
  })
  @Allow('appointment.book')
  async book(@TheAct() act: Act<z.infer<typeof Booking>>): Promise<MedicalAnswer> {
    const referralId = act.id('referralId');
    const answer = await this.#medical.commit(act, referralId, async (state, { startsAt, accompaniment, interpreterLanguage, clinicianSex }, { tx }) => {
      const appointmentId = randomUUID();
      const decision = book(state, { appointmentId, startsAt, accompaniment });
      if (!(decision instanceof Refusal)) await this.#sealed.put(tx, needsOf(referralId, appointmentId), { interpreterLanguage, clinicianSex } satisfies AppointmentNeeds);
      return decision;
    });
    act.header('location', `/v1/health/${act.organisationId}/medical-referrals/${referralId}`);
    return answer;
  }

  @Command('POST /v1/health/:organisationId/medical-referrals/:referralId/appointments/:appointmentId/attendance', {
    summary: 'Say whether she came; only that is told to the sender', body: Attendance, answer: MedicalAnswer, refusals: ['acceptance-not-yet-seen', 'gone', 'illegal-transition'],
  })
  @Allow('appointment.record')
  recordAttendance(@TheAct() act: Act<z.infer<typeof Attendance>>): Promise<MedicalAnswer> {
    const appointmentId = act.id('appointmentId');
    return this.#medical.commit(act, act.id('referralId'), (state, { attended }) => recordAttendance(state, appointmentId, attended));
  }
}

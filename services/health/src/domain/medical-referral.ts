import { type EventOf, healthEvents, Id, Instant, type OutcomeCode, privateEvent, Refusal, Urgency } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

const { ConsentWithdrawalAcknowledged: _acknowledged, DataDisposalAttested: _attested, ...published } = healthEvents;
/** What the network learns: booked, attended or not, completed. Never why, never what was found. */
export const medicalEvents = published;

const EndReason = z.enum(['declined', 'expired', 'withdrawn', 'cancelled', 'failed']);
export type EndReason = z.infer<typeof EndReason>;

/** The clinic's inner life. What a person needs or was found to have is sealed; these events name where. */
export const privateMedicalEvents = {
  Asked: privateEvent('health.referral-asked.v1', z.strictObject({
    referralId: Id, organisationId: Id, fromOrg: Id, serviceId: Id, consentRef: Id, urgency: Urgency, ackBy: Instant, decideBy: Instant, serveBy: Instant, submittedAt: Instant,
  })),
  CaseOpened: privateEvent('health.case-opened.v1', z.strictObject({ serveBy: Instant })),
  AppointmentNoted: privateEvent('health.appointment-noted.v1', z.strictObject({ appointmentId: Id, startsAt: Instant, accompaniment: z.boolean() })),
  ConsultationNoted: privateEvent('health.consultation-noted.v1', z.strictObject({ consultationId: Id })),
  Ended: privateEvent('health.case-ended.v1', z.strictObject({ reasonCode: EndReason })),
} as const;

export type MedicalEvent = EventOf<typeof medicalEvents> | EventOf<typeof privateMedicalEvents>;
export type Asked = z.infer<typeof privateMedicalEvents.Asked.data>;

export interface Appointment {
  readonly appointmentId: string;
  readonly attempt: number;
  readonly state: 'booked' | 'missed' | 'attended';
  readonly startsAt?: string;
  readonly accompaniment?: boolean;
}

export interface KnownMedicalReferral {
  /** `asked` until the acceptance has arrived: before it the clinic has no case and reads nothing. */
  readonly status: 'asked' | 'open' | 'booked' | 'missed' | 'attended' | 'completed' | 'ended';
  readonly asked: Asked;
  /** Whether the clinic ever said yes. */
  readonly opened: boolean;
  readonly appointments: readonly Appointment[];
  readonly consultation?: { readonly consultationId: string; readonly outcome?: OutcomeCode };
  readonly endReason?: EndReason;
}
export type MedicalReferral = { readonly status: 'none' } | KnownMedicalReferral;

export const medicalDecider: Decider<MedicalReferral, MedicalEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'health.referral-asked.v1') return { status: 'asked', asked: event.data, opened: false, appointments: [] };
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'health.case-opened.v1': return { ...state, status: 'open', opened: true, asked: { ...state.asked, serveBy: event.data.serveBy } };
      case 'health.appointment-booked.v1': {
        const { appointmentId, attempt } = event.data;
        return { ...state, status: 'booked', appointments: [...state.appointments, { appointmentId, attempt, state: 'booked' }] };
      }
      case 'health.appointment-noted.v1': return { ...state, appointments: state.appointments.map((known) => (known.appointmentId === event.data.appointmentId ? { ...known, ...event.data } : known)) };
      case 'health.appointment-missed.v1': return { ...state, status: 'missed', appointments: settle(state, event.data.appointmentId, 'missed') };
      case 'health.appointment-attended.v1': return { ...state, status: 'attended', appointments: settle(state, event.data.appointmentId, 'attended') };
      case 'health.consultation-noted.v1': return { ...state, consultation: { consultationId: event.data.consultationId } };
      case 'health.consultation-completed.v1': return { ...state, status: 'completed', consultation: { ...state.consultation!, outcome: event.data.outcome } };
      case 'health.case-ended.v1': return { ...state, status: 'ended', endReason: event.data.reasonCode };
    }
  },
};

function settle(state: KnownMedicalReferral, appointmentId: string, outcome: 'missed' | 'attended'): readonly Appointment[] {
  return state.appointments.map((known) => (known.appointmentId === appointmentId ? { ...known, state: outcome } : known));
}

type Decision = readonly MedicalEvent[] | Refusal;
const illegal = (): Refusal => new Refusal('illegal-transition');
/** The yes is on its way over the bus: so long a caller should wait before it asks again. */
const yesArrivesWithinSeconds = 1;
/** After so many missed appointments no further one is booked: her safety is the question then, and the sender's. */
const maxAttempts = 10;

/** The case, or why there is none: its yes has not arrived yet, or will never come because the referral ended before it. */
export function openCase(state: MedicalReferral): KnownMedicalReferral | Refusal {
  if (state.status === 'none') return new Refusal('not-found');
  if (state.opened) return state;
  return state.status === 'asked' ? new Refusal('acceptance-not-yet-seen', { retryAfterSeconds: yesArrivesWithinSeconds }) : new Refusal('gone');
}

export function ask(state: MedicalReferral, asked: Asked): readonly MedicalEvent[] {
  return state.status === 'none' ? [{ type: 'health.referral-asked.v1', data: asked }] : [];
}

/** The referral was accepted: from now on the clinic has a case. */
export function open(state: MedicalReferral, accepted: { toOrg: string; serveBy: string }): readonly MedicalEvent[] {
  if (state.status !== 'asked' || state.asked.organisationId !== accepted.toOrg) return [];
  return [{ type: 'health.case-opened.v1', data: { serveBy: accepted.serveBy } }];
}

/** The referral ended at its sender or by her word. What was done before stays done. */
export function end(state: MedicalReferral, reasonCode: EndReason): readonly MedicalEvent[] {
  if (state.status === 'none' || state.status === 'completed' || state.status === 'ended') return [];
  return [{ type: 'health.case-ended.v1', data: { reasonCode } }];
}

/** A first appointment, or another one after she did not come. */
export function book(state: MedicalReferral, appointment: { appointmentId: string; startsAt: string; accompaniment: boolean }): Decision {
  const known = openCase(state);
  if (known instanceof Refusal) return known;
  if ((known.status !== 'open' && known.status !== 'missed') || known.appointments.length >= maxAttempts) return illegal();
  const { referralId, organisationId } = known.asked;
  const attempt = known.appointments.length + 1;
  return [
    { type: 'health.appointment-booked.v1', data: { appointmentId: appointment.appointmentId, referralId, organisationId, attempt } },
    { type: 'health.appointment-noted.v1', data: appointment },
  ];
}

export function recordAttendance(state: MedicalReferral, appointmentId: string, attended: boolean): Decision {
  const known = openCase(state);
  if (known instanceof Refusal) return known;
  const appointment = known.appointments.find((candidate) => candidate.appointmentId === appointmentId);
  if (!appointment) return new Refusal('not-found');
  if (known.status !== 'booked' || appointment.state !== 'booked') return illegal();
  const { referralId, organisationId } = known.asked;
  return [{ type: attended ? 'health.appointment-attended.v1' : 'health.appointment-missed.v1', data: { appointmentId, referralId, organisationId, attempt: appointment.attempt } }];
}

/** The consultation is over. Its outcome code and next step are sealed under `consultationId`; attended and done is what returns. */
export function complete(state: MedicalReferral, consultation: { consultationId: string; outcome: OutcomeCode }): Decision {
  const known = openCase(state);
  if (known instanceof Refusal) return known;
  if (known.status !== 'attended') return illegal();
  const { referralId, organisationId } = known.asked;
  return [
    { type: 'health.consultation-noted.v1', data: { consultationId: consultation.consultationId } },
    { type: 'health.consultation-completed.v1', data: { referralId, organisationId, attended: true, outcome: consultation.outcome } },
  ];
}

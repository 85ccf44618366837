import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id } from '@amana/contracts';
import type { SealedPlace, Statement, StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine, type Subject } from '@amana/service';
import { z } from 'zod';
import { type Asked, type KnownMedicalReferral, type MedicalEvent, type MedicalReferral, medicalDecider, medicalEvents, privateMedicalEvents } from './domain/medical-referral.ts';

export const MedicalStatus = z.enum(['asked', 'open', 'booked', 'missed', 'attended', 'completed', 'ended']);
export type MedicalStatus = z.infer<typeof MedicalStatus>;

/** What every command on a medical referral answers, and its retry again. */
export const MedicalAnswer = z.object({ referralId: Id, status: MedicalStatus, appointmentId: Id.optional().describe('The newest appointment'), attempt: z.int().optional(), version: z.int() }).meta({ id: 'MedicalAnswer' });
export type MedicalAnswer = z.infer<typeof MedicalAnswer>;

/** What an appointment has to take care of. It describes her, so it is sealed with the case's own key. */
export interface AppointmentNeeds {
  readonly interpreterLanguage?: string | undefined;
  readonly clinicianSex: 'female' | 'male' | 'any';
}

export interface Consultation {
  readonly outcomeCode: string;
  readonly nextStep: string;
}

export function needsOf(referralId: string, appointmentId: string): SealedPlace {
  return { caseId: referralId, field: `appointment:${appointmentId}`, version: 1 };
}

export function consultationOf(referralId: string, consultationId: string): SealedPlace {
  return { caseId: referralId, field: `consultation:${consultationId}`, version: 1 };
}

const aggregate: Aggregate<MedicalReferral, MedicalEvent, MedicalAnswer> = {
  ...medicalDecider,
  name: 'medical-referral',
  events: [...Object.values(medicalEvents), ...Object.values(privateMedicalEvents)] as EventDefinition[],
  relations: (state, organisationId, params) => (state.status !== 'none' && state.asked.organisationId === organisationId && params.organisationId === organisationId ? ['own'] : []),
  answer(state, referralId, version) {
    const appointment = state.status === 'none' ? undefined : state.appointments.at(-1);
    return { referralId, status: (state as KnownMedicalReferral).status, ...(appointment ? { appointmentId: appointment.appointmentId, attempt: appointment.attempt } : {}), version };
  },
  subject: (_state, id) => ({ publicId: id, referralId: id }),
};

/** The medical referrals of the clinics here, each its own stream under the referral's id. */
@Injectable()
export class MedicalReferrals extends Stream<MedicalReferral, MedicalEvent, MedicalAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

export function subjectOf(referralId: string, version: number): Subject {
  return { type: aggregate.name, aggregateId: referralId, publicId: referralId, referralId, version };
}

const statusOf: Record<string, string> = {
  'health.case-opened.v1': 'open', 'health.appointment-booked.v1': 'booked', 'health.appointment-missed.v1': 'missed',
  'health.appointment-attended.v1': 'attended', 'health.consultation-completed.v1': 'completed', 'health.case-ended.v1': 'ended',
};

/** The clinic's list follows every event of a medical referral, in the transaction that appends it. */
export const medicalList: Projection = {
  on: [...Object.values(medicalEvents), ...Object.values(privateMedicalEvents)].map((definition) => definition.type),
  project(event: StoredEvent): readonly Statement[] {
    if (event.type === 'health.referral-asked.v1') return [listAsked(event as StoredEvent<Asked>)];
    const data = event.data as { appointmentId?: string; attempt?: number; startsAt?: string; serveBy?: string };
    return [{
      name: 'health-list-move', values: [event.stream, event.version, statusOf[event.type] ?? null, data.appointmentId ?? null, data.attempt ?? null, data.startsAt ?? null, data.serveBy ?? null, event.type === 'health.case-opened.v1'],
      text: `UPDATE medical_referral SET version = $2, status = COALESCE($3, status), appointment_id = COALESCE($4, appointment_id), attempt = COALESCE($5, attempt), starts_at = COALESCE($6, starts_at),
        serve_by = COALESCE($7, serve_by), data_held = data_held OR $8 WHERE referral_id = $1`,
    }];
  },
};

function listAsked(event: StoredEvent<Asked>): Statement {
  const { data } = event;
  return {
    name: 'health-list-ask', values: [event.stream, data.organisationId, data.fromOrg, data.serviceId, data.consentRef, event.version, data.urgency, data.ackBy, data.decideBy, data.serveBy, data.submittedAt],
    text: `INSERT INTO medical_referral (referral_id, organisation_id, from_org, service_id, consent_ref, status, version, urgency, ack_by, decide_by, serve_by, submitted_at)
      VALUES ($1, $2, $3, $4, $5, 'asked', $6, $7, $8, $9, $10, $11)`,
  };
}

import { z } from 'zod';
import { CapacityBand, CapacityStatus, OutcomeCode, PlacementClass } from '../codes.ts';
import { Day, Id, Instant, published } from '../event.ts';

const stay = 'shelter.stay.v1';
const hold = { holdId: Id, referralId: Id, organisationId: Id };
const disposal = { consentRef: Id, organisationId: Id };
/** What became of data after the consent to hold it ended. */
export const Disposition = z.enum(['deleted', 'returned', 'legal_hold']);
export type Disposition = z.infer<typeof Disposition>;

/** A bed's way from hold to end of stay, by ids and clocks: no site, no room, no bed. */
export const shelterEvents = {
  BedHeld: published('shelter.bed-held.v1', stay, z.strictObject({ ...hold, expiresAt: Instant, placementClass: PlacementClass, dependantsCount: z.int().min(0).max(20) })),
  HoldConfirmed: published('shelter.hold-confirmed.v1', stay, z.strictObject({ ...hold })),
  HoldReleased: published('shelter.hold-released.v1', stay, z.strictObject({ ...hold, reasonCode: z.enum(['withdrawn', 'cancelled', 'already-decided', 'unknown', 'not-needed', 'failed']) })),
  HoldExpired: published('shelter.hold-expired.v1', stay, z.strictObject({ ...hold })),
  HoldLost: published('shelter.hold-lost.v1', stay, z.strictObject({ ...hold })),
  ArrivalPlanned: published('shelter.arrival-planned.v1', stay, z.strictObject({ ...hold, plannedAt: Instant })),
  StayStarted: published('shelter.stay-started.v1', stay, z.strictObject({ ...hold, startedOn: Day })),
  StayEnded: published('shelter.stay-ended.v1', stay, z.strictObject({ ...hold, endedOn: Day, outcomeCode: OutcomeCode })),
  CapacityChanged: published('shelter.capacity-changed.v1', 'shelter.capacity.v1', z.strictObject({ serviceId: Id, statusCode: CapacityStatus, band: CapacityBand, asOf: Instant })),
  ConsentWithdrawalAcknowledged: published('shelter.consent-withdrawal-acknowledged.v1', stay, z.strictObject(disposal)),
  DataDisposalAttested: published('shelter.data-disposal-attested.v1', stay, z.strictObject({ ...disposal, disposition: Disposition })),
} as const;

const medical = 'health.medical-referral.v1';
const appointment = { appointmentId: Id, referralId: Id, organisationId: Id, attempt: z.int().min(1).max(10) };

/** What a clinic tells the referral: booked, attended or not, done. Never why, never what was found. */
export const healthEvents = {
  AppointmentBooked: published('health.appointment-booked.v1', medical, z.strictObject({ ...appointment })),
  AppointmentMissed: published('health.appointment-missed.v1', medical, z.strictObject({ ...appointment })),
  AppointmentAttended: published('health.appointment-attended.v1', medical, z.strictObject({ ...appointment })),
  ConsultationCompleted: published('health.consultation-completed.v1', medical, z.strictObject({ referralId: Id, organisationId: Id, attended: z.boolean(), outcome: OutcomeCode })),
  ConsentWithdrawalAcknowledged: published('health.consent-withdrawal-acknowledged.v1', medical, z.strictObject(disposal)),
  DataDisposalAttested: published('health.data-disposal-attested.v1', medical, z.strictObject({ ...disposal, disposition: Disposition })),
} as const;

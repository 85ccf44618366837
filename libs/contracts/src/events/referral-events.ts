import { z } from 'zod';
import {
  CancelReason, CapacityBand, CapacityStatus, DataCategory, DeclineReason, DeliveryMode, FailReason, Language, OutcomeCode, PlacementClass, Region, ServiceKind, Sex, Urgency,
} from '../codes.ts';
import { Day, Id, Instant, published } from '../event.ts';

const topic = 'referral.referral.v1';
const parties = { referralId: Id, fromOrg: Id, toOrg: Id };

/** Facts about a referral: who asked whom, by when, and where it stands. No need, no place, no person. */
export const referralEvents = {
  ReferralSubmitted: published('referral.submitted.v1', topic, z.strictObject({
    ...parties, toServiceId: Id, serviceKind: ServiceKind, urgency: Urgency, ackBy: Instant, decideBy: Instant, serveBy: Instant, expiresAt: Instant, consentRef: Id,
    placementClass: PlacementClass.optional(), dependantsCount: z.int().min(0).max(20), occurredAt: Instant, deliveryMode: DeliveryMode, redirectedFrom: Id.optional(),
  })),
  ReferralAcknowledged: published('referral.acknowledged.v1', topic, z.strictObject({ ...parties })),
  ReferralAccepted: published('referral.accepted.v1', topic, z.strictObject({ ...parties, holdId: Id.optional(), consentRef: Id, serviceKind: ServiceKind, urgency: Urgency, serveBy: Instant })),
  AcceptanceRefused: published('referral.acceptance-refused.v1', topic, z.strictObject({ ...parties, holdId: Id, reasonCode: z.enum(['withdrawn', 'cancelled', 'already-decided', 'unknown']), releaseHoldAt: Instant.optional() })),
  ReferralDeclined: published('referral.declined.v1', topic, z.strictObject({ ...parties, reasonCode: DeclineReason, alternatives: z.array(Id).max(10) })),
  ReferralScheduled: published('referral.scheduled.v1', topic, z.strictObject({ ...parties })),
  ArrivalConfirmed: published('referral.arrival-confirmed.v1', topic, z.strictObject({ ...parties, confirmer: z.enum(['sender', 'receiver']) })),
  ReferralStarted: published('referral.started.v1', topic, z.strictObject({ ...parties })),
  ReferralCompleted: published('referral.completed.v1', topic, z.strictObject({ ...parties, outcomeCode: OutcomeCode })),
  LoopClosed: published('referral.loop-closed.v1', topic, z.strictObject({ ...parties, followUp: z.enum(['received', 'not-received', 'unsafe-to-contact']) })),
  ReferralCancelled: published('referral.cancelled.v1', topic, z.strictObject({ ...parties, reasonCode: CancelReason })),
  ReferralWithdrawn: published('referral.withdrawn.v1', topic, z.strictObject({ ...parties, releaseHoldAt: Instant })),
  ReferralFailed: published('referral.failed.v1', topic, z.strictObject({ ...parties, reasonCode: FailReason })),
  ReferralExpired: published('referral.expired.v1', topic, z.strictObject({ ...parties, alternatives: z.array(Id).max(10) })),
  DeadlineApproaching: published('referral.deadline-approaching.v1', topic, z.strictObject({ ...parties, clock: z.enum(['ack', 'decide']), level: z.int().min(1).max(3) })),
} as const;

const directory = 'referral.directory.v1';

/** The directory as other services need it. A shelter's place is not in it. */
export const directoryEvents = {
  OrganisationListed: published('referral.organisation-listed.v1', directory, z.strictObject({
    organisationId: Id, name: z.string().min(1).max(200), status: z.enum(['active', 'suspended']), protocolVersion: z.string().max(20).optional(), ceiling: z.array(DataCategory).max(20),
  })),
  ServiceListed: published('referral.service-listed.v1', directory, z.strictObject({
    serviceId: Id, organisationId: Id, kind: ServiceKind, name: z.string().min(1).max(200), status: z.enum(['active', 'inactive', 'defunct', 'temporarily closed']),
    minimumAge: z.int().min(0).max(150).optional(), maximumAge: z.int().min(0).max(150).optional(), sexes: z.array(Sex).max(4), families: z.boolean(), languages: z.array(Language).max(40),
    regions: z.array(Region).max(40), assuredOn: Day.optional(),
    capacity: z.strictObject({ statusCode: CapacityStatus, band: CapacityBand, asOf: Instant }).optional(),
  })),
} as const;

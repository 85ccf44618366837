import { z } from 'zod';

/** Services of the network, one folder and one database each. */
export const ServiceName = z.enum(['intake', 'referral', 'shelter', 'health', 'notifications', 'audit', 'indicators']);
export type ServiceName = z.infer<typeof ServiceName>;

/** What a listed service offers; `shelter` and `health` have a service of their own behind them. */
export const ServiceKind = z.enum(['shelter', 'health', 'psychosocial', 'legal', 'vocational', 'child-protection', 'return', 'coordination']);
export type ServiceKind = z.infer<typeof ServiceKind>;

/** Urgency as FHIR says it: life-saving, emergency, urgent, normal. */
export const Urgency = z.enum(['stat', 'asap', 'urgent', 'routine']);
export type Urgency = z.infer<typeof Urgency>;

export const DeliveryMode = z.enum(['system', 'phone', 'paper', 'in_person']);
export type DeliveryMode = z.infer<typeof DeliveryMode>;

export const DeclineReason = z.enum([
  'no_capacity', 'waitlist_only', 'unsuitable_placement', 'not_eligible_age', 'not_eligible_sex', 'not_eligible_status',
  'out_of_scope', 'out_of_area', 'no_interpreter_or_required_staff', 'safety_conflict', 'insufficient_information',
  'consent_not_evidenced', 'duplicate', 'funding_ended',
]);
export type DeclineReason = z.infer<typeof DeclineReason>;

export const CancelReason = z.enum(['found_elsewhere', 'moved', 'duplicate_need', 'funding_ended', 'death', 'other']);
export type CancelReason = z.infer<typeof CancelReason>;

export const FailReason = z.enum(['unreachable', 'unsafe', 'provider_error']);
export type FailReason = z.infer<typeof FailReason>;

export const OutcomeCode = z.enum(['delivered', 'partly', 'not_delivered']);
export type OutcomeCode = z.infer<typeof OutcomeCode>;

/** What a consent may name; sharing "everything" is not offered. */
export const DataCategory = z.enum([
  'identity', 'contact', 'demographics', 'protection-narrative', 'risk-safety', 'location-shelter', 'health-general',
  'health-sexual-reproductive', 'hiv', 'mhpss', 'legal', 'immigration-status', 'family-children', 'livelihood', 'perpetrator', 'documents',
]);
export type DataCategory = z.infer<typeof DataCategory>;

export const ConsentPurpose = z.enum(['service', 'transfer']);
export type ConsentPurpose = z.infer<typeof ConsentPurpose>;

/** Who a bed is for, as the directory and the referral say it: never a room, never a site. */
export const PlacementClass = z.enum(['woman', 'man', 'woman-with-dependants', 'family']);
export type PlacementClass = z.infer<typeof PlacementClass>;

export const Sex = z.enum(['female', 'male', 'other', 'unknown']);
export type Sex = z.infer<typeof Sex>;

export const AgeBand = z.enum(['0-14', '15-17', '18-24', '25-34', '35+']);
export type AgeBand = z.infer<typeof AgeBand>;

export const CapacityStatus = z.enum(['no-capacity', 'capacity', 'waitlist', 'additional-assessment-required']);
export type CapacityStatus = z.infer<typeof CapacityStatus>;

export const CapacityBand = z.enum(['0', '1-2', '3-5', '6+']);
export type CapacityBand = z.infer<typeof CapacityBand>;

/** A spoken or written language as BCP 47. */
export const Language = z.string().regex(/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/);
export type Language = z.infer<typeof Language>;

/** A region or province of ISO 3166-2, such as MA-09. */
export const Region = z.string().regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/);
export type Region = z.infer<typeof Region>;

/** The three figures of the network's story. */
export const Indicator = z.enum(['identified', 'sheltered', 'consulted']);
export type Indicator = z.infer<typeof Indicator>;

/** Roles a token may carry; each belongs to exactly one organisation (claim `org`). */
export const Role = z.enum(['case-worker', 'supervisor', 'focal-point', 'shelter-staff', 'clinician', 'coordinator', 'auditor', 'operator', 'org-admin']);
export type Role = z.infer<typeof Role>;

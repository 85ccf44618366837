import { ConsentPurpose, DataCategory, Day, type EventOf, Id, Indicator, Instant, Language, Month, privateEvent } from '@amana/contracts';
import { z } from 'zod';
import { SealedField } from './person.ts';

const contact = { at: Instant, channel: z.string().max(20), confidentialityExplainedAt: Instant.optional() };

/** How a conversation about consent was held: part of its evidence. */
export const Conversation = z.strictObject({
  at: Instant, language: Language, interpreterLanguage: Language.optional(), method: z.enum(['oral', 'written', 'thumb_mark']),
  witnessed: z.boolean().describe('An oral consent or a thumb mark needs a witness'), alone: z.boolean(),
}).meta({ id: 'ConsentConversation' });
export type Conversation = z.infer<typeof Conversation>;

/** One recipient she agreed to. */
export const GivenConsent = z.strictObject({
  consentRef: Id, organisationId: Id, serviceId: Id.optional(), categories: z.array(DataCategory).min(1).max(16), purpose: ConsentPurpose, givenAt: Instant, until: Instant, language: Language,
});
export type GivenConsent = z.infer<typeof GivenConsent>;

/**
 * A case's inner life. All of it is private: nothing here ever leaves this database. What describes her is sealed beside
 * it; an event names only the field and its version, so that replay survives her erasure.
 */
export const caseEvents = {
  Opened: privateEvent('intake.case-opened.v1', z.strictObject({ organisationId: Id, ...contact })),
  Imported: privateEvent('intake.case-imported.v1', z.strictObject({ organisationId: Id })),
  TransferredIn: privateEvent('intake.case-transferred-in.v1', z.strictObject({ organisationId: Id, transferId: Id })),
  FileReceived: privateEvent('intake.case-file-received.v1', z.strictObject({ alreadyCounted: z.array(Indicator).max(3) })),
  FirstContactRecorded: privateEvent('intake.first-contact-recorded.v1', z.strictObject(contact)),
  ServicesDeclined: privateEvent('intake.services-declined.v1', z.strictObject({ at: Instant })),
  FieldSealed: privateEvent('intake.field-sealed.v1', z.strictObject({ field: SealedField, version: z.int().min(1) })),
  Screened: privateEvent('intake.screened.v1', z.strictObject({ outcome: z.enum(['presumed', 'not_presumed', 'declined_assessment']), reportingConsent: z.boolean() })),
  SafeContactAgreed: privateEvent('intake.safe-contact-agreed.v1', z.strictObject({ reviewOn: Day })),
  ConflictFlagged: privateEvent('intake.conflict-flagged.v1', z.strictObject({ organisationId: Id })),
  ConsentsGiven: privateEvent('intake.consents-given.v1', z.strictObject({ conversation: Conversation, consents: z.array(GivenConsent).min(1).max(3) })),
  ConsentsRefused: privateEvent('intake.consents-refused.v1', z.strictObject({ conversation: Conversation, organisationIds: z.array(Id).min(1).max(3) })),
  TransferPending: privateEvent('intake.transfer-pending.v1', z.strictObject({ transferId: Id })),
  TransferSettled: privateEvent('intake.transfer-settled.v1', z.strictObject({ transferId: Id, outcome: z.enum(['accepted', 'declined', 'expired']) })),
  HandedToAuditor: privateEvent('intake.case-handed-to-auditor.v1', z.strictObject({ reasonCode: z.string().max(40) })),
  OutcomeSeen: privateEvent('intake.outcome-seen.v1', z.strictObject({ indicator: Indicator })),
  CountNoted: privateEvent('intake.count-noted.v1', z.strictObject({ indicator: Indicator, month: Month })),
  Closed: privateEvent('intake.case-closed.v1', z.strictObject({ reasonCode: z.string().max(40) })),
} as const;

export type CaseEvent = EventOf<typeof caseEvents>;

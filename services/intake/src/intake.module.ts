import { type EventDefinition, intakeEvents } from '@amana/contracts';
import type { ServiceDefinition } from '@amana/service';
import { caseBoard, Cases } from './cases.ts';
import { AnswerTransfer } from './commands/answer-transfer.ts';
import { AssessCase } from './commands/assess-case.ts';
import { CloseCase } from './commands/close-case.ts';
import { HandToAuditor } from './commands/hand-to-auditor.ts';
import { ImportCases } from './commands/import-cases.ts';
import { OfferTransfer } from './commands/offer-transfer.ts';
import { OpenCase } from './commands/open-case.ts';
import { RecordConsent } from './commands/record-consent.ts';
import { RecordFirstContact } from './commands/record-first-contact.ts';
import { TakeOverFile } from './commands/take-over-file.ts';
import { WithdrawConsent } from './commands/withdraw-consent.ts';
import { Consents, consentTable } from './consents.ts';
import { ExpireTransfer } from './due/expire-transfer.ts';
import { countTable, PublishCounts } from './due/publish-counts.ts';
import { Held } from './held.ts';
import { Imports } from './imports.ts';
import { Intake1700000000201 } from './migrations/0001-intake.ts';
import { Outcomes } from './outcomes.ts';
import { OnDirectory } from './reactions/on-directory.ts';
import { OnHolder } from './reactions/on-holder.ts';
import { OnOutcome } from './reactions/on-outcome.ts';
import { OnReferral } from './reactions/on-referral.ts';
import { OnTransfer } from './reactions/on-transfer.ts';
import { CaseFileRead } from './reads/case-file.ts';
import { CaseListRead } from './reads/case-list.ts';
import { ConsentListRead } from './reads/consent-list.ts';
import { Disclosures } from './reads/disclosures.ts';
import { FiguresRead } from './reads/figures.ts';
import { TransferListRead } from './reads/transfer-list.ts';
import { ReceiptKeys } from './receipt-keys.ts';
import { Receipts } from './receipts.ts';
import { SealedFields } from './sealed-fields.ts';
import { transferBoard, Transfers } from './transfers.ts';

/** Persons and their cases, for the organisation that owns each: nobody else reads here but through her consent. */
export const IntakeService: ServiceDefinition = {
  name: 'intake',
  purpose: 'Holds persons, cases and consents for the organisation that owns each case, and discloses exactly what she agreed to.',
  controllers: [
    OpenCase, ImportCases, RecordFirstContact, AssessCase, TakeOverFile, CloseCase, HandToAuditor, RecordConsent, WithdrawConsent, OfferTransfer, AnswerTransfer,
    CaseListRead, CaseFileRead, ConsentListRead, Disclosures, TransferListRead, FiguresRead,
  ],
  reactions: [OnReferral, OnOutcome, OnDirectory, OnHolder, OnTransfer],
  projections: [caseBoard, consentTable, transferBoard, countTable],
  due: [ExpireTransfer, PublishCounts],
  onStart: [ReceiptKeys],
  providers: [Held, Cases, Consents, Transfers, Imports, SealedFields, Receipts, Outcomes],
  migrations: [Intake1700000000201],
  publishes: Object.values(intakeEvents) as EventDefinition[],
};

import { directoryEvents, type EventDefinition, referralEvents } from '@amana/contracts';
import type { ServiceDefinition } from '@amana/service';
import { AnswerReferral } from './commands/answer-referral.ts';
import { DraftReferral } from './commands/draft-referral.ts';
import { FollowReferral } from './commands/follow-referral.ts';
import { ImportDirectory } from './commands/import-directory.ts';
import { ProvideService } from './commands/provide-service.ts';
import { SubmitReferral } from './commands/submit-referral.ts';
import { Directory, directoryTables } from './directory.ts';
import { EscalateReferral, ExpireReferral, referralDeadlines } from './due/referral-deadlines.ts';
import { Referral1700000000101 } from './migrations/0001-referral.ts';
import { OnCapacityChanged } from './reactions/on-capacity-changed.ts';
import { OnConsent } from './reactions/on-consent.ts';
import { OnMedicalReferral } from './reactions/on-medical-referral.ts';
import { OnReferralAccepted } from './reactions/on-referral-accepted.ts';
import { OnReferralEnded } from './reactions/on-referral-ended.ts';
import { OnStay } from './reactions/on-stay.ts';
import { FindServices } from './reads/find-services.ts';
import { ReferralBoard, referralBoard } from './reads/referral-board.ts';
import { Referrals } from './referrals.ts';

/** Referrals and the directory: who asked whom, by when, and what became of it. */
export const ReferralService: ServiceDefinition = {
  name: 'referral',
  purpose: 'Carries a referral from draft to closed loop between organisations, and lists who offers what.',
  controllers: [DraftReferral, SubmitReferral, AnswerReferral, ProvideService, FollowReferral, ImportDirectory, ReferralBoard, FindServices],
  reactions: [OnConsent, OnStay, OnMedicalReferral, OnReferralAccepted, OnReferralEnded, OnCapacityChanged],
  projections: [referralBoard, referralDeadlines, directoryTables],
  due: [EscalateReferral, ExpireReferral],
  onStart: [],
  providers: [Referrals, Directory],
  migrations: [Referral1700000000101],
  publishes: [...Object.values(referralEvents), ...Object.values(directoryEvents)] as EventDefinition[],
};

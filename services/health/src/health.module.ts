import { type EventDefinition, healthEvents } from '@amana/contracts';
import { disposalsOf, OnConsentWithdrawn } from '@amana/holding';
import type { ServiceDefinition } from '@amana/service';
import { AttestDisposal } from './commands/attest-disposal.ts';
import { KeepAppointment } from './commands/keep-appointment.ts';
import { RecordConsultation } from './commands/record-consultation.ts';
import { holding } from './holding.ts';
import { medicalList, MedicalReferrals } from './medical-referrals.ts';
import { Health1700000000301 } from './migrations/0001-health.ts';
import { OnReferral } from './reactions/on-referral.ts';
import { MedicalReferralList } from './reads/medical-referral-list.ts';
import { MedicalReferralRead } from './reads/medical-referral.ts';

/** Medical referrals from the yes to the outcome; what was found stays in the clinic. */
export const HealthService: ServiceDefinition = {
  name: 'health',
  purpose: 'Lists a clinic\'s medical referrals, books appointments and records attendance and outcome.',
  controllers: [KeepAppointment, RecordConsultation, AttestDisposal, MedicalReferralList, MedicalReferralRead],
  reactions: [OnReferral, OnConsentWithdrawn],
  projections: [medicalList],
  due: [],
  onStart: [],
  providers: [MedicalReferrals, disposalsOf(holding)],
  migrations: [Health1700000000301],
  publishes: Object.values(healthEvents) as EventDefinition[],
};

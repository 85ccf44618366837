import type { ServiceDefinition } from '@amana/service';
import { Ledger } from './ledger.ts';
import { Audit1700000000601 } from './migrations/0001-audit.ts';
import { Ledger1700000000602 } from './migrations/0002-ledger.ts';
import { OnAuditEntry } from './reactions/on-audit-entry.ts';
import { History } from './reads/history.ts';
import { LedgerReads } from './reads/ledger-reads.ts';
import { Sequencer } from './sequencer.ts';
import { Witnesses } from './witnesses.ts';

/** The auditor's view: every act and every look of every service, by referral and by tag. */
export const AuditService: ServiceDefinition = {
  name: 'audit',
  purpose: 'Keeps the exact bytes of every act and every look of the network in a signed Merkle log, and shows an auditor their history: acts, never people.',
  controllers: [History, LedgerReads],
  reactions: [OnAuditEntry],
  projections: [],
  due: [],
  onStart: [Sequencer],
  providers: [Ledger, Witnesses],
  migrations: [Audit1700000000601, Ledger1700000000602],
  publishes: [],
};

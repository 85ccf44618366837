import type { ServiceDefinition } from '@amana/service';
import { Audit1700000000601 } from './migrations/0001-audit.ts';
import { OnAuditEntry } from './reactions/on-audit-entry.ts';
import { History } from './reads/history.ts';

/** The auditor's view: every act and every look of every service, by referral and by tag. */
export const AuditService: ServiceDefinition = {
  name: 'audit',
  purpose: 'Keeps the exact bytes of every act and every look of the network, and shows an auditor their history: acts, never people.',
  controllers: [History],
  reactions: [OnAuditEntry],
  projections: [],
  due: [],
  onStart: [],
  providers: [],
  migrations: [Audit1700000000601],
  publishes: [],
};

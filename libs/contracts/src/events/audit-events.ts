import { z } from 'zod';
import { ServiceName, type ServiceName as ServiceNameType } from '../codes.ts';
import { type EventDefinition, published } from '../event.ts';

/** The exact bytes of one audit leaf, base64url: JSON columns would reorder them. */
export const AuditEntry = z.strictObject({ leaf: z.base64url().max(8192) });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Each producer's audit entries: an event of the same log, on a topic of its own. */
export function auditEntryOf(service: ServiceNameType): EventDefinition<string, typeof AuditEntry> {
  return published(`${service}.audit-entry.v1`, `${service}.audit.v1`, AuditEntry);
}

export const auditEntries: readonly EventDefinition<string, typeof AuditEntry>[] = ServiceName.options.map(auditEntryOf);

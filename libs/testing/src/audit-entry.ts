import { randomUUID } from 'node:crypto';
import type { AuditEntry } from '@amana/contracts';
import type { ReceivedEvent } from '@amana/messaging';
import { type AuditFields, auditLeaf } from '@amana/privacy';

export interface EntryOptions {
  readonly key?: string;
  readonly producer?: string;
  readonly at?: string;
  readonly correlation?: string;
  readonly changes?: Partial<AuditFields>;
}

/** The bytes of an audit entry of `producer` about `key`. */
export function entryLeaf({ key = randomUUID(), producer = 'referral', at = '2023-03-01T09:00:00.000Z', correlation = key, changes = {} }: EntryOptions = {}): Buffer {
  return auditLeaf({
    producer, at, actor: { tag: 'AAAAAAAAAAAAAAAAAAAAAA', org: randomUUID(), role: 'case-worker', client: 'client' }, action: 'referral.submit', object: { type: 'referral', id: key, version: 1 },
    subjectTag: 'BBBBBBBBBBBBBBBBBBBBBB', policy: { version: '1', rule: 'referral.submit' }, decision: 'permit', requestId: correlation, outcome: 'done', ...changes,
  });
}

/** That entry, as it comes over the bus. */
export function entryEvent({ key = randomUUID(), producer = 'referral', at = '2023-03-01T09:00:00.000Z', correlation = key, changes = {} }: EntryOptions = {}): ReceivedEvent<AuditEntry> {
  const leaf = entryLeaf({ key, producer, at, correlation, changes });
  return { id: randomUUID(), type: `${producer}.audit-entry.v1`, topic: `${producer}.audit.v1`, key, data: { leaf: leaf.toString('base64url') }, at: new Date(at), correlation, partition: 0, offset: '0' };
}

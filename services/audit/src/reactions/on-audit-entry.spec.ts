import { describe, expect, it } from '@jest/globals';
import { type AuditEntry, auditEntries, Refusal } from '@amana/contracts';
import type { ReceivedEvent } from '@amana/messaging';
import { auditLeaf } from '@amana/privacy';
import { keep } from './on-audit-entry.ts';

const referralId = '8e5a2f64-3b0f-4c7d-8f6b-0a9d3e1c2b4f';
const leafOf = (producer: string): Buffer => auditLeaf({
  producer, at: '2023-03-01T09:00:00.000Z', actor: { tag: 'AAAAAAAAAAAAAAAAAAAAAA', org: 'system', role: 'system', client: producer }, action: 'referral.read',
  object: { type: 'referral', id: referralId }, subjectTag: 'BBBBBBBBBBBBBBBBBBBBBB', policy: { version: '1', rule: 'referral.read' }, decision: 'permit', requestId: 'r1', outcome: 'shown',
});
const eventOf = (type: string, leaf: Buffer): ReceivedEvent<AuditEntry> => ({
  id: '01890a5d-ac96-774b-bcce-b302099a8057', type, topic: 't', key: referralId, data: { leaf: leaf.toString('base64url') }, at: new Date(0), partition: 0, offset: '0',
});

describe('keeping an audit entry', () => {
  it('refuses what is no leaf, so that it ends in the dead letters', () => {
    expect(() => keep(eventOf('intake.audit-entry.v1', Buffer.from('not a leaf')))).toThrow(Refusal);
  });

  it('refuses an entry that one service sends in the name of another', () => {
    expect(() => keep(eventOf('intake.audit-entry.v1', leafOf('referral')))).toThrow(Refusal);
  });

  it.each(auditEntries.map((definition) => definition.type))('keeps the exact bytes of %s under the key they came with', (type) => {
    const leaf = leafOf(type.split('.')[0]!);
    const { text, values } = keep(eventOf(type, leaf));
    expect(values.at(-1)).toEqual(leaf);
    expect(values[2]).toBe(referralId);
    expect(values).toHaveLength(new Set(text.match(/\$\d+/g)).size);
  });
});

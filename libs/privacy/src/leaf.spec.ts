import { describe, expect, it } from '@jest/globals';
import { auditLeaf, LeafError, readLeaf } from './leaf.ts';
import type { AuditFields } from './leaf.ts';

const tag = 'AAAAAAAAAAAAAAAAAAAAAA';
const organisation = '6a1f0c52-4b8e-4a35-9d7a-2f1f6d8f0a11';
const full: Required<AuditFields> = {
  outcome: 'disclosed',
  requestId: '0d5c7b3e-8a2f-4c11-b0f9-6e3d2a1b4c5d',
  sealed: Buffer.from('sealed bytes').toString('base64url'),
  recipientOrg: organisation,
  decision: 'permit',
  policy: { rule: 'disclosure.read', version: '2026-11-24' },
  consent: { version: 2, ref: organisation },
  subjectTag: tag,
  object: { version: 3, id: organisation, type: 'referral' },
  action: 'disclosure.read',
  onBehalfOf: organisation,
  actor: { client: 'portal', role: 'case-worker', org: organisation, tag },
  at: '2026-11-24T10:00:00.000Z',
  producer: 'intake',
};

describe('an audit leaf', () => {
  it('refuses free text in any of its fields, and names the field only', () => {
    for (const spoiled of [
      { ...full, outcome: 'called Planted Name' },
      { ...full, action: 'Planted Name' },
      { ...full, requestId: 'planted name' },
      { ...full, object: { ...full.object, id: 'planted name' } },
      { ...full, actor: { ...full.actor, tag: 'planted name' } },
      { ...full, sealed: 'planted name' },
    ]) {
      const error = refusalOf(() => auditLeaf(spoiled));
      expect(error.fields).toHaveLength(1);
      expect(JSON.stringify([error.message, error.stack, error])).not.toMatch(/planted name/i);
    }
  });

  it('refuses a field that nobody declared', () => {
    expect(() => auditLeaf({ ...full, note: 'x' } as AuditFields)).toThrow(LeafError);
    expect(() => auditLeaf({ ...full, actor: { ...full.actor, name: 'x' } as AuditFields['actor'] })).toThrow(LeafError);
  });

  it('refuses more than an audit entry can carry, and bytes that are no leaf', () => {
    expect(() => auditLeaf({ ...full, sealed: 'A'.repeat(4_100) })).toThrow(LeafError);
    expect(() => readLeaf(Buffer.from('{"v":1}'))).toThrow(LeafError);
    expect(() => readLeaf(Buffer.from('not json'))).toThrow(LeafError);
    expect(() => readLeaf(Buffer.alloc(10_000, 32))).toThrow(LeafError);
  });

  it('has its fields in one order, whatever order they were given in', () => {
    const text = auditLeaf(full).toString('utf8');
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'v', 'salt', 'producer', 'at', 'actor', 'onBehalfOf', 'action', 'object', 'subjectTag', 'consent', 'policy', 'decision',
      'recipientOrg', 'requestId', 'outcome', 'sealed',
    ]);
    expect(text).toContain('"actor":{"tag":"AAAAAAAAAAAAAAAAAAAAAA","org":');
    expect(text).toContain('"object":{"type":"referral","id":');
  });

  it('cannot be guessed: the same act gives other bytes each time', () => {
    expect(auditLeaf(full).equals(auditLeaf(full))).toBe(false);
    expect(Buffer.from(readLeaf(auditLeaf(full)).salt, 'base64url')).toHaveLength(16);
  });

  it('is read back as it was written, with or without its optional fields', () => {
    expect(readLeaf(auditLeaf(full))).toMatchObject(full);
    const { onBehalfOf, consent, recipientOrg, sealed, ...least } = full;
    const leaf = readLeaf(auditLeaf({ ...least, actor: { ...full.actor, tag: 'system', org: 'system' }, object: { type: 'case', id: tag } }));
    expect(leaf).not.toHaveProperty('sealed');
    expect(leaf.actor.tag).toBe('system');
  });

  it('is still readable when a newer producer adds a field', () => {
    const newer = Buffer.from(JSON.stringify({ ...JSON.parse(auditLeaf(full).toString('utf8')), place: 'x' }));
    expect(readLeaf(newer)).not.toHaveProperty('place');
  });
});

function refusalOf(act: () => unknown): LeafError {
  try {
    act();
  } catch (error) {
    if (error instanceof LeafError) return error;
  }
  throw new Error('nothing was refused');
}

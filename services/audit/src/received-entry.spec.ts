import { describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { auditLeaf, type AuditFields } from '@amana/privacy';
import { isLook, readEntry } from './received-entry.ts';

const fields: AuditFields = {
  producer: 'referral', at: '2023-03-01T09:00:00.000Z', actor: { tag: 'AAAAAAAAAAAAAAAAAAAAAA', org: 'f3a8f1d2-7f0c-4c58-9a53-1d3f2b9b1c01', role: 'case-worker', client: 'sandbox-client' },
  action: 'referral.submit', object: { type: 'referral', id: '8e5a2f64-3b0f-4c7d-8f6b-0a9d3e1c2b4f', version: 2 }, subjectTag: 'BBBBBBBBBBBBBBBBBBBBBB',
  policy: { version: '2026-11-24', rule: 'referral.submit' }, decision: 'permit', requestId: '5b6a3b9e-6f5e-4d58-8a3c-2f1e0d9c8b7a', outcome: 'done',
};
const sent = (changes: Partial<AuditFields> = {}): string => auditLeaf({ ...fields, ...changes }).toString('base64url');

function refusalOf(read: () => unknown): Refusal {
  try {
    read();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('an audit entry that arrives', () => {
  it('is refused for good when its bytes are no leaf', () => {
    for (const leaf of ['', 'AAAA', Buffer.from('{}').toString('base64url'), Buffer.from('{"v":1,"salt":"x"}').toString('base64url'), Buffer.from('[1,2]').toString('base64url')]) {
      expect(refusalOf(() => readEntry({ leaf, producer: 'referral' })).code).toBe('validation-failed');
    }
  });

  it('is refused when it speaks for another producer than its topic', () => {
    expect(refusalOf(() => readEntry({ leaf: sent(), producer: 'intake' })).errors).toEqual([{ pointer: '/leaf/producer', code: 'not-the-sender' }]);
  });

  it('names the wrong fields without repeating what stood in them', () => {
    const bytes = JSON.stringify({ ...JSON.parse(Buffer.from(sent(), 'base64url').toString('utf8')) as object, action: 'Nadia went to Agadir' });
    const refusal = refusalOf(() => readEntry({ leaf: Buffer.from(bytes).toString('base64url'), producer: 'referral' }));
    expect(JSON.stringify(refusal.errors)).toContain('/leaf/action');
    expect(JSON.stringify(refusal.errors)).not.toContain('Agadir');
  });

  it('keeps the exact bytes, those of fields that came later too', () => {
    const bytes = Buffer.from(Buffer.from(sent(), 'base64url').toString('utf8').replace('{"v":1', '{"later":true,"v":1'));
    expect(readEntry({ leaf: bytes.toString('base64url'), producer: 'referral' }).body.equals(bytes)).toBe(true);
  });

  it('belongs to the request that led to it, and to itself where no one says which', () => {
    expect(readEntry({ leaf: sent(), producer: 'referral', correlation: 'cause' }).correlation).toBe('cause');
    expect(readEntry({ leaf: sent(), producer: 'referral' }).correlation).toBe(fields.requestId);
  });

  it('is the doing of the service itself when a system acted', () => {
    expect(readEntry({ leaf: sent({ actor: { ...fields.actor, org: 'system' } }), producer: 'referral' }).ownDoing).toBe(true);
    expect(readEntry({ leaf: sent(), producer: 'referral' }).ownDoing).toBe(false);
  });
});

describe('a look', () => {
  it('is whatever was shown', () => expect(isLook({ action: 'disclosure.read', decision: 'permit', outcome: 'shown' })).toBe(true));
  it('is an attempt to see that was denied', () => expect(isLook({ action: 'disclosure.read', decision: 'deny', outcome: 'denied' })).toBe(true));
  it('is not an act that was denied', () => expect(isLook({ action: 'referral.accept', decision: 'deny', outcome: 'denied' })).toBe(false));
  it('is not an act that was done', () => expect(isLook({ action: 'case.hand-to-auditor', decision: 'permit', outcome: 'done' })).toBe(false));
  it('is not an act that no policy knows', () => expect(isLook({ action: 'constructor', decision: 'deny', outcome: 'denied' })).toBe(false));
});

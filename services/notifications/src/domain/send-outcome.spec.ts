import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { failureOf, outcomeOf, retryAfterMs } from './send-outcome.ts';

const now = new Date('2024-01-01T00:00:00.000Z');

describe('an answer to a webhook', () => {
  it('is a failure unless it is 2xx', () => {
    fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), (status) => (outcomeOf({ status, now }).kind === 'delivered') === (status >= 200 && status < 300)), { seed: 3, numRuns: 200 });
  });

  it('asks for a wait in seconds or until a time, and for nothing else', () => {
    expect(retryAfterMs('120', now)).toBe(120_000);
    expect(retryAfterMs('Mon, 01 Jan 2024 00:01:00 GMT', now)).toBe(60_000);
    for (const header of [undefined, '', '-5', '0', '1e9', 'soon', 'Mon, 01 Jan 2001 00:00:00 GMT', 'x GMT', '9'.repeat(50)]) expect([header, retryAfterMs(header, now)]).toEqual([header, undefined]);
  });
});

describe('a connection that failed', () => {
  it('is called by a code that says nothing of the other side', () => {
    const code = (error: unknown) => failureOf(error);
    expect(code(Object.assign(new Error('getaddrinfo ENOTFOUND hooks.partner.org'), { code: 'ENOTFOUND' }))).toEqual({ kind: 'failed', reasonCode: 'name-unknown' });
    expect(code(Object.assign(new Error('certificate of partner.org'), { code: 'CERT_HAS_EXPIRED' }))).toEqual({ kind: 'failed', reasonCode: 'tls' });
    expect(code(new DOMException('took too long', 'TimeoutError'))).toEqual({ kind: 'failed', reasonCode: 'timeout' });
    expect(code(Object.assign(new Error('refused by 10.0.0.1'), { code: 'ECONNREFUSED' }))).toEqual({ kind: 'failed', reasonCode: 'connection' });
    for (const odd of [undefined, null, 'text', 7, {}]) expect(code(odd)).toEqual({ kind: 'failed', reasonCode: 'connection' });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { InboxContext } from '@amana/messaging';
import { inTransaction } from '@amana/persistence';
import { entryEvent, type EntryOptions, OneEngine } from '@amana/testing';
import { startPostgres } from '../../../../infra/local/src/postgres.ts';
import { AuditService } from '../audit.module.ts';
import { OnAuditEntry } from '../reactions/on-audit-entry.ts';
import { History } from './history.ts';

const house = new OneEngine(AuditService, { startPostgres });
const { ask } = house;
const onEntry = new OnAuditEntry();
const auditor = { role: 'auditor', scopes: ['audit:read'] } as const;
let history: History;

beforeAll(async () => { history = new History((await house.start()).looks); }, 60_000);
afterAll(() => house.stop());

/** One entry, as it comes over the bus from its producer. */
async function arrives(entry: EntryOptions): Promise<void> {
  await inTransaction(house.database.bus, [], (tx) => onEntry.onEntry(entryEvent({ correlation: randomUUID(), ...entry }), new InboxContext([tx])));
}

const byItself = { actor: { tag: 'CCCCCCCCCCCCCCCCCCCCCC', org: 'system', role: 'system', client: 'shelter' }, action: 'hold.confirm' };

const ofReferral = (referralId: string, query: Record<string, string> = {}) => ask(history, 'ofReferral', { ...auditor, params: { referralId }, query });
const ofTag = (tag: string) => ask(history, 'ofTag', { ...auditor, params: { tag } });

describe('a history', () => {
  it('is refused for what is no id, no tag and no cursor', async () => {
    expect(() => ofReferral('1; DROP TABLE audit_entry')).toThrow(Refusal);
    expect(() => ofTag('short')).toThrow(Refusal);
    expect(() => ofReferral(randomUUID(), { after: 'AAAA' })).toThrow(Refusal);
    expect(() => ofReferral(randomUUID(), { limit: '101' })).toThrow(Refusal);
  });

  it('puts all that one request led to together, the request first, whatever the clocks said', async () => {
    const [key, first, second] = [randomUUID(), randomUUID(), randomUUID()];
    // The shelter's clock is behind: its effect looks older than the request that caused it. A second request fell between.
    await arrives({ key, at: '2023-03-01T09:00:04.000Z', correlation: first, producer: 'shelter', changes: byItself });
    await arrives({ key, at: '2023-03-01T09:00:02.000Z', correlation: second });
    await arrives({ key, at: '2023-03-01T09:00:01.000Z', correlation: first });
    await arrives({ key, at: '2023-03-01T09:00:00.500Z', correlation: first, producer: 'health', changes: { ...byItself, action: 'case.open' } });
    const { entries } = await ofReferral(key);
    expect(entries.map(({ requestId, action }) => [requestId, action])).toEqual([[first, 'referral.submit'], [first, 'case.open'], [first, 'hold.confirm'], [second, 'referral.submit']]);
  });

  it('gives the same order page by page as at once, each entry once', async () => {
    const key = randomUUID();
    const correlations = [randomUUID(), randomUUID(), randomUUID()];
    for (let index = 0; index < 12; index += 1) await arrives({ key, at: `2023-03-01T09:00:0${index % 4}.000Z`, correlation: correlations[index % 3]!, changes: index % 2 ? byItself : {} });
    const whole = (await ofReferral(key)).entries.map(({ entryId }) => entryId);
    const paged: string[] = [];
    for (let after: string | undefined, page = 0; page < 20; page += 1) {
      const answer = await ofReferral(key, { limit: '5', ...(after ? { after } : {}) });
      paged.push(...answer.entries.map(({ entryId }) => entryId));
      after = answer.next;
      if (!after) break;
    }
    expect(whole).toHaveLength(12);
    expect(paged).toEqual(whole);
  });

  it('shows who saw what, and who tried to', async () => {
    const key = randomUUID();
    await arrives({ key, at: '2023-03-01T09:00:00.000Z' });
    await arrives({ key, at: '2023-03-01T09:01:00.000Z', changes: { action: 'disclosure.read', outcome: 'shown', consent: { ref: randomUUID(), version: 2 } } });
    await arrives({ key, at: '2023-03-01T09:02:00.000Z', changes: { action: 'disclosure.read', outcome: 'denied', decision: 'deny' } });
    const { entries } = await ask(history, 'looksOfReferral', { ...auditor, params: { referralId: key } });
    expect(entries.map(({ action, decision, consent }) => [action, decision, consent?.version])).toEqual([['disclosure.read', 'permit', 2], ['disclosure.read', 'deny', undefined]]);
  });

  it('finds everything under a tag, and who read that', async () => {
    const tag = 'DDDDDDDDDDDDDDDDDDDDDD';
    await arrives({ key: tag, at: '2023-03-01T09:00:00.000Z', changes: { subjectTag: tag } });
    await arrives({ key: 'EEEEEEEEEEEEEEEEEEEEEE', at: '2023-03-01T10:00:00.000Z', producer: 'audit', changes: { subjectTag: 'EEEEEEEEEEEEEEEEEEEEEE', action: 'audit.read', outcome: 'shown', object: { type: 'audit-trail', id: tag } } });
    expect((await ofTag(tag)).entries.map(({ action }) => action)).toEqual(['referral.submit', 'audit.read']);
  });
});

describe('reading the audit', () => {
  it('is itself on record before the answer leaves, under the referral that was read', async () => {
    const key = randomUUID();
    await ofReferral(key);
    expect(await house.leavesOf(key)).toHaveLength(1);
  });
});

describe('an entry that was kept', () => {
  it('is neither changed nor removed by the serving role', async () => {
    await arrives({ key: randomUUID(), at: '2023-03-01T09:00:00.000Z' });
    for (const change of ['UPDATE audit_entry SET outcome = \'done\'', 'DELETE FROM audit_entry', 'TRUNCATE audit_entry']) await expect(house.rows(change)).rejects.toThrow();
  });
});

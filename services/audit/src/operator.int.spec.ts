import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { entryLeaf, eventually, OneService } from '@amana/testing';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { AuditService } from './audit.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(AuditService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post, publish } = house;
const messages = '/v1/audit/parked-messages';

beforeAll(() => house.start(), 90_000);
afterAll(() => house.stop());

/** A message that died: an entry in which one service speaks for another. */
async function deadMessage(): Promise<string> {
  const key = randomUUID();
  const leaf = entryLeaf({ key, producer: 'intake' });
  await publish('referral.audit-entry.v1', { leaf: leaf.toString('base64url') }, key);
  return await eventually(async () => ((await call('operator-system', 'GET', messages)).body.items as { key: string; state: string; eventId: string }[]).find((item) => item.key === key && item.state === 'dead')?.eventId, { what: 'the dead message' });
}

const decided = async (eventId: string): Promise<string[]> => (await house.leavesOf()).filter(({ object }) => object.type === 'parked-message' && object.id === eventId).map(({ outcome }) => outcome);

describe('what an operator decides about a dead message', () => {
  it('is refused without a reason, without a key, and for a message that is not dead', async () => {
    const eventId = await deadMessage();
    expect((await post('operator-system', `${messages}/${eventId}/skip`, { body: {} })).code).toBe('validation-failed');
    expect((await call('operator-system', 'POST', `${messages}/${eventId}/skip`, { body: { reasonCode: 'harmless' } })).code).toBe('idempotency-key-missing');
    expect((await post('operator-system', `${messages}/${randomUUID()}/skip`, { body: { reasonCode: 'harmless' } })).status).toBe(404);
    expect((await post('audit-system', `${messages}/${eventId}/skip`, { body: { reasonCode: 'harmless' } })).status).toBe(403);
    expect(await decided(eventId)).toEqual([]);
  });

  it('is carried out once and answered alike again, and another decision under its key is refused', async () => {
    const [eventId, key] = [await deadMessage(), randomUUID()];
    const skip = { body: { reasonCode: 'harmless' }, key };
    const first = await post('operator-system', `${messages}/${eventId}/skip`, skip);
    expect([first.status, first.body]).toEqual([200, { eventId, state: 'skipped' }]);
    const again = await post('operator-system', `${messages}/${eventId}/skip`, skip);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await post('operator-system', `${messages}/${eventId}/skip`, { ...skip, body: { reasonCode: 'other' } })).code).toBe('idempotency-key-reused');
    expect((await post('operator-system', `${messages}/${eventId}/skip`, { body: { reasonCode: 'harmless' } })).status).toBe(404);
    expect(await decided(eventId)).toEqual(['skipped.harmless']);
  });

  it('gives a message new tries once, however often the request comes', async () => {
    const [eventId, key] = [await deadMessage(), randomUUID()];
    const replay = { body: { reasonCode: 'fixed' }, key };
    expect((await post('operator-system', `${messages}/${eventId}/replay`, replay)).body).toEqual({ eventId, state: 'retry' });
    const state = async (): Promise<string | undefined> => ((await call('operator-system', 'GET', messages)).body.items as { eventId: string; state: string }[]).find((item) => item.eventId === eventId)?.state;
    await eventually(async () => await state() === 'dead', { what: 'its second death' });
    expect((await post('operator-system', `${messages}/${eventId}/replay`, replay)).status).toBe(200);
    expect([await state(), await decided(eventId)]).toEqual(['dead', ['retry.fixed']]);
  });
});

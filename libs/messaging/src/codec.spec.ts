import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { DecodeError, type RawMessage } from './cloud-event.ts';
import { decode, encode, type PublishedRow, readLeniently } from './codec.ts';

const stream = '5b0e7c62-9f6a-4c3f-8c71-0f2f8f6a1d10';
const data = { referralId: stream, fromOrg: 'a3bb189e-8bf9-4c11-9d6b-7a0d2f1c6e11', toOrg: 'c9a646d3-9c61-4cc1-8b0e-1d2f3a4b5c6d' };
const row: PublishedRow = {
  id: '01930000-0000-7000-8000-000000000001', stream, version: 3, type: 'referral.acknowledged.v1', topic: 'referral.referral.v1', key: stream,
  dataJson: JSON.stringify(data), meta: { correlation: 'c-1', cause: 'never travels', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  at: new Date('2024-03-05T10:00:00.000Z'), position: '77',
};

function messageOf(changes: Partial<PublishedRow> = {}, message: Partial<RawMessage> = {}): RawMessage {
  const encoded = encode({ ...row, ...changes }, 'referral');
  return { topic: row.topic, partition: 4, offset: '19', ...encoded, ...message };
}

describe('the event codec', () => {
  it.each([
    ['data that lacks a required field', messageOf({ dataJson: JSON.stringify({ referralId: stream }) }), 'schema:invalid_type'],
    ['data of another kind', messageOf({ dataJson: '5' }), 'schema:invalid_type'],
    ['an id that is no UUID', messageOf({ id: '1234-1234-1234' }), 'id-not-a-uuid'],
    ['a type that no contract knows', messageOf({ type: 'referral.acknowledged.v9' }), 'type-unknown'],
    ['a time that is none', messageOf({}, { headers: { ...messageOf().headers, ce_time: 'yesterday' } }), 'time-invalid'],
    ['a tombstone', messageOf({}, { value: null }), 'no-data'],
    ['two megabytes', messageOf({}, { value: Buffer.alloc(2_000_000, 'x') }), 'too-large'],
  ])('refuses %s', (_, message, reason) => {
    expect(decode(message)).toEqual(new DecodeError(reason));
  });

  it('gives back what was written', () => {
    expect(decode(messageOf())).toEqual({
      id: row.id, type: row.type, topic: row.topic, key: stream, data, at: row.at, correlation: 'c-1', traceparent: row.meta.traceparent,
      partition: 4, offset: '19', aggregateVersion: 3,
    });
  });

  it('writes the headers of the binding, and of the meta only what may travel', () => {
    expect(encode(row, 'referral').headers).toEqual({
      ce_specversion: '1.0', ce_id: row.id, ce_source: '/amana/referral', ce_type: 'referral.acknowledged.v1', ce_time: '2024-03-05T10:00:00.000Z',
      ce_dataschema: 'urn:amana:schema:referral.acknowledged.v1', ce_partitionkey: stream, 'content-type': 'application/json',
      ce_correlationid: 'c-1', ce_aggregateversion: '3', traceparent: row.meta.traceparent,
    });
  });

  it('names no aggregate version where the key is not the stream', () => {
    expect(encode({ ...row, key: 'tag' }, 'referral').headers).not.toHaveProperty('ce_aggregateversion');
  });

  it('leaves out what a newer producer added', () => {
    expect(decode(messageOf({ dataJson: JSON.stringify({ ...data, addedLater: { deep: true } }) }))).toMatchObject({ data });
  });

  it('leaves out additions at every depth, and does not change its input', () => {
    const schema = z.strictObject({ list: z.array(z.strictObject({ a: z.int(), inner: z.strictObject({ b: z.int() }).optional() })) });
    const input = { list: [{ a: 1, x: 2, inner: { b: 1, y: 2 } }, { a: 2 }], z: 3 };
    expect(readLeniently(schema, input)).toEqual({ value: { list: [{ a: 1, inner: { b: 1 } }, { a: 2 }] } });
    expect(input.z).toBe(3);
  });
});

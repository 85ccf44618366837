import { describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { afterCursor, cursorOf, type Place } from './place.ts';

const place: Place = { began: '2023-03-01T09:00:00.000Z', correlation: '5b6a3b9e-6f5e-4d58-8a3c-2f1e0d9c8b7a', ownDoing: true, at: '2023-03-01T09:00:01.250Z', received: '9007199254740993' };
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor into a history', () => {
  it.each([
    ['text', Buffer.from('hello').toString('base64url')], ['an object', encode({ began: 'x' })], ['too few parts', encode(['2023-03-01T09:00:00.000Z'])],
    ['a time that is none', encode(['yesterday', 'c', true, '2023-03-01T09:00:00.000Z', '1'])], ['a number too large', encode([place.began, 'c', true, place.at, '1'.repeat(30)])],
    ['a statement', encode([place.began, 'c', true, place.at, '1); DROP TABLE audit_entry'])], ['nothing', ''],
  ])('is refused when it is %s', (_what, cursor) => {
    expect(() => afterCursor(cursor)).toThrow(Refusal);
  });

  it('leads back to the place it was made of, without losing a digit', () => {
    expect(afterCursor(cursorOf(place))).toEqual(place);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLocalKeyring } from './local-keyring.ts';
import type { LocalKeyring } from './local-keyring.ts';
import { actorTag, subjectTag } from './pseudonym.ts';

const aggregateId = '3f2b8a44-58a0-4a63-9c9e-0b8f4c1d2e3f';
let folder: string;
let keys: LocalKeyring;
let foreign: LocalKeyring;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pseudonym-'));
  keys = await openLocalKeyring(join(folder, 'intake.json'));
  foreign = await openLocalKeyring(join(folder, 'shelter.json'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('pseudonyms', () => {
  it('cannot be matched between two producers', () => {
    expect(subjectTag(keys, aggregateId)).not.toBe(subjectTag(foreign, aggregateId));
  });

  it('give one worker another name in another organisation, whatever the ids look like', () => {
    expect(actorTag(keys, 'org-a', 'worker-1')).not.toBe(actorTag(keys, 'org-b', 'worker-1'));
    expect(actorTag(keys, 'a', 'bc')).not.toBe(actorTag(keys, 'ab', 'c'));
  });

  it('never confuse a worker with a case of the same id', () => {
    expect(actorTag(keys, 'org-a', aggregateId)).not.toBe(subjectTag(keys, aggregateId));
  });

  it('stay the same for ever, have 128 bits, and hold nothing of the id', async () => {
    const tag = subjectTag(keys, aggregateId);
    await keys.rotate();
    expect(subjectTag(keys, aggregateId)).toBe(tag);
    expect(Buffer.from(tag, 'base64url')).toHaveLength(16);
    expect(tag).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});

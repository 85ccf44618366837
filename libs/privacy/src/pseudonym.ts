import type { KeyProvider } from './key-provider.ts';

/** 128 bits: short enough for a log line, far beyond a guess, since the key is secret. */
const TAG_BYTES = 16;

/** All that a pseudonym needs of a key provider. */
export type TagKeys = Pick<KeyProvider, 'hmacSync'>;

/**
 * The name under which this producer's audit entries speak of one of its aggregates: keyed, so that no one without the
 * key can tell which one, and different at each producer. 22 characters, base64url.
 */
export function subjectTag(keys: TagKeys, aggregateId: string): string {
  return shortTag(keys, 'subject-tag', aggregateId);
}

/** The pseudonym of one worker or system inside one organisation; the same person has another one in another organisation. */
export function actorTag(keys: TagKeys, organisationId: string, subject: string): string {
  // JSON keeps the two apart: ("a", "bc") and ("ab", "c") must never share a tag.
  return shortTag(keys, 'actor-tag', JSON.stringify([organisationId, subject]));
}

function shortTag(keys: TagKeys, purpose: string, data: string): string {
  return keys.hmacSync(purpose, data).subarray(0, TAG_BYTES).toString('base64url');
}

import { Id, Instant, Refusal } from '@amana/contracts';

/** Where a page ended: opaque to callers, so that its making can change. */
export function encodeCursor(at: Date, id: string): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url');
}

/** The time and id of a cursor that we made; anything else is refused, naming the query's field. */
export function decodeCursor(cursor: string, pointer = '/after'): [at: string, id: string] {
  const [, at, id] = /^(\S{20,30}) ([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  const ours = Instant.safeParse(at).success && new Date(at!).toISOString() === at && Id.safeParse(id).success;
  if (!ours) throw new Refusal('validation-failed', { errors: [{ pointer, code: 'not-a-cursor' }] });
  return [at!, id!];
}

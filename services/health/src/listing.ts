import { Id, Refusal } from '@amana/contracts';
import type { Relation } from '@amana/access';
import type { Act } from '@amana/service';
import { z } from 'zod';

/** How lists are asked for: a page, and where the page before ended. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().regex(/^[\w-]{1,200}$/).optional().describe('The `next` of the page before'),
});

/** Whoever asks under another organisation's path stands in no relation to what is listed there. */
export function relationToPath(act: Act): readonly Relation[] {
  return act.id('organisationId') === act.organisationId ? ['own'] : [];
}

/** The end of a page of rows that are sorted by time, then id. */
export function cursorOf(at: Date, id: string): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url');
}

/** Time and id of a cursor, nulls for the first page. A cursor that was not made here is refused. */
export function readCursor(cursor: string | undefined): readonly [string | null, string | null] {
  if (cursor === undefined) return [null, null];
  const match = /^(\S{20,30}) ([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match || Number.isNaN(Date.parse(match[1]!)) || !Id.safeParse(match[2]).success) throw new Refusal('validation-failed', { errors: [{ pointer: '/after', code: 'not-a-cursor' }] });
  return [match[1]!, match[2]!];
}

import type { Row } from '@amana/persistence';
import { decodeCursor, encodeCursor } from '@amana/service';
import { z } from 'zod';

/** The query of every list here: newest change first, page by page. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().regex(/^[\w-]{1,200}$/).optional().describe('The `next` of the page before'),
});
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page {
  readonly rows: readonly Row[];
  readonly next?: string;
}

/** Where a page begins, as parameters: instant and id of the last item of the page before, or two nulls. */
export function startOf(after: string | undefined): readonly [string | null, string | null] {
  return after === undefined ? [null, null] : decodeCursor(after);
}

/** Of `limit + 1` rows the page, and where the next one begins if there is one. `idColumn` breaks ties of `changed_at`. */
export function pageOf(rows: readonly Row[], limit: number, idColumn: string): Page {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return rows.length > limit && last ? { rows: page, next: encodeCursor(last.changed_at as Date, last[idColumn] as string) } : { rows: page };
}

import { Instant, Refusal } from '@amana/contracts';
import { z } from 'zod';

/** Where an entry stands in a history: by cause, then by time. */
const PlaceShape = z.strictObject({ began: Instant, correlation: z.string().regex(/^[\x21-\x7e]{0,128}$/), ownDoing: z.boolean(), at: Instant, received: z.string().regex(/^\d{1,18}$/) });
export type Place = z.infer<typeof PlaceShape>;

/** The place as a caller carries it from page to page. */
export function cursorOf(place: Place): string {
  return Buffer.from(JSON.stringify([place.began, place.correlation, place.ownDoing, place.at, place.received])).toString('base64url');
}

/** The place a cursor names. A cursor that we did not make is no cursor: refuses `validation-failed`. */
export function afterCursor(cursor: string): Place {
  const parsed = PlaceShape.safeParse(named(cursor));
  if (!parsed.success) throw new Refusal('validation-failed', { errors: [{ pointer: '/after', code: 'not-a-cursor' }] });
  return parsed.data;
}

function named(cursor: string): unknown {
  try {
    const list: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(list) || list.length !== 5) return undefined;
    const [began, correlation, ownDoing, at, received] = list as unknown[];
    return { began, correlation, ownDoing, at, received };
  } catch {
    return undefined;
  }
}

import { z } from 'zod';

/** Random UUIDv4 of whatever crosses an organisation: a v7 would tell when she came in. */
export const Id = z.uuidv4();
export type Id = z.infer<typeof Id>;

/** An instant in UTC, ISO 8601 with `Z`, in this century or the next: what a database can always keep. */
export const Instant = z.iso.datetime().refine(isNear, { params: { code: 'out-of-range' } });
export type Instant = z.infer<typeof Instant>;

/** A day, `YYYY-MM-DD`: what a fact carries where no clock needs the hour. */
export const Day = z.iso.date().refine(isNear, { params: { code: 'out-of-range' } });
export type Day = z.infer<typeof Day>;

function isNear(at: string): boolean {
  return /^2[01]\d\d-/.test(at);
}

/** A month, `YYYY-MM`: the only date a counting fact carries. */
export const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/);
export type Month = z.infer<typeof Month>;

export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  /** `<service>.<past-tense>.v<N>`; a published version never changes. */
  readonly type: Type;
  /** The topic it is published on, or null: a private event never leaves its service's database. */
  readonly topic: string | null;
  readonly data: Data;
}

/** What a decision returns: an event's type and its data, before it has a stream, a version or a time. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** The union of the events of a catalogue, discriminated by `type`. */
export type EventOf<Catalogue extends Record<string, EventDefinition>> = {
  [K in keyof Catalogue]: Catalogue[K] extends EventDefinition<infer T, infer D> ? { readonly type: T; readonly data: z.infer<D> } : never;
}[keyof Catalogue];

/** An event that other services may read: ids, codes, clocks and counts of the work only. */
export function published<Type extends string, Data extends z.ZodType>(type: Type, topic: string, data: Data): EventDefinition<Type, Data> {
  return { type, topic, data };
}

/** An event of a service's inner life: stored and replayed, never on the bus. */
export function privateEvent<Type extends string, Data extends z.ZodType>(type: Type, data: Data): EventDefinition<Type, Data> {
  return { type, topic: null, data };
}

/** The service an event or topic belongs to: the part before the first dot. */
export function producerOf(typeOrTopic: string): string {
  return typeOrTopic.slice(0, typeOrTopic.indexOf('.'));
}

import type { EventDefinition } from './event.ts';
import { auditEntries } from './events/audit-events.ts';
import { healthEvents, shelterEvents } from './events/holder-events.ts';
import { intakeEvents } from './events/intake-events.ts';
import { directoryEvents, referralEvents } from './events/referral-events.ts';

/** Every published event by its type. What is not here never reaches the bus. */
export const publishedEvents: ReadonlyMap<string, EventDefinition> = new Map(
  [referralEvents, directoryEvents, intakeEvents, shelterEvents, healthEvents].flatMap((group) => Object.values(group) as EventDefinition[])
    .concat([...auditEntries]).map((definition) => [definition.type, definition]),
);

/** Every topic of the network, in a fixed order. */
export const topics: readonly string[] = [...new Set([...publishedEvents.values()].map((definition) => definition.topic as string))].sort();

/** The topics on which these event types are published. Throws on an unknown type: a reaction to nothing is a bug. */
export function topicsOf(types: readonly string[]): string[] {
  return [...new Set(types.map((type) => {
    const topic = publishedEvents.get(type)?.topic;
    if (!topic) throw new Error(`No published event is called ${type}`);
    return topic;
  }))];
}

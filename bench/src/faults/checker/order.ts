import type { LoggedEvent, TopicMessage } from './dump.ts';
import { type Evidence, type LogEvidence, type Violation } from './evidence.ts';

/** Events of one key: on the bus by their first appearance, and at each consumer by when they took effect. */
export function* findDisorder(evidence: Evidence): Generator<Violation> {
  yield* onTopics(evidence.dump.messages ?? []);
  for (const log of evidence.logs) {
    yield* atConsumer(evidence, log);
    yield* inEffects(evidence, log);
  }
}

function* onTopics(messages: readonly TopicMessage[]): Generator<Violation> {
  const keyed = messages.filter((message) => message.version !== null && message.id !== null);
  for (const [place, group] of Map.groupBy(keyed, (message) => `${message.topic} ${message.key ?? ''}`)) {
    if (new Set(group.map((message) => message.partition)).size > 1) yield { check: 'order', what: `${place} stands in more than one partition` };
    const first = new Map<string, TopicMessage>();
    // What was sent again is not a second event: its first appearance counts.
    for (const message of group.toSorted((one, other) => one.offset - other.offset)) if (!first.has(message.id!)) first.set(message.id!, message);
    yield* rising([...first.values()].map((message) => message.version!), `${place}: versions on the topic`, 'strictly');
  }
}

/** The inbox row of a later version must not be older than that of an earlier one. */
function* atConsumer(evidence: Evidence, log: LogEvidence): Generator<Violation> {
  const rows = log.dump.inbox.flatMap((row) => {
    const event = evidence.events.get(row.eventId);
    return event && event.key === event.stream ? [{ event, atMicros: row.atMicros }] : [];
  });
  for (const [key, group] of Map.groupBy(rows, ({ event }) => `${event.topic ?? ''} ${event.key}`)) {
    const byVersion = group.toSorted((one, other) => one.event.version - other.event.version);
    yield* rising(byVersion.map(({ atMicros }) => atMicros), `${log.service} took ${key} (versions ${byVersion.map(({ event }) => event.version).join(', ')}) at`, 'not falling');
  }
}

/** In the consumer's own log, effects of one key on one stream follow the versions of their causes. */
function* inEffects(evidence: Evidence, log: LogEvidence): Generator<Violation> {
  const effects = log.dump.events.flatMap((event): { event: LoggedEvent; cause: LoggedEvent }[] => {
    const cause = event.cause === null ? undefined : evidence.events.get(event.cause);
    return cause && cause.key === cause.stream ? [{ event, cause }] : [];
  });
  for (const [key, group] of Map.groupBy(effects, ({ event, cause }) => `${event.stream} by ${cause.topic ?? ''} ${cause.key}`)) {
    const byPosition = group.toSorted((one, other) => one.event.position - other.event.position);
    yield* rising(byPosition.map(({ cause }) => cause.version), `${log.service}: causes of ${key}`, 'not falling');
  }
}

function* rising(numbers: readonly number[], what: string, how: 'strictly' | 'not falling'): Generator<Violation> {
  const at = numbers.findIndex((number, index) => index > 0 && (how === 'strictly' ? number <= numbers[index - 1]! : number < numbers[index - 1]!));
  if (at > 0) yield { check: 'order', what: `${what} ${numbers.join(', ')}` };
}

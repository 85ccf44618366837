import { type Evidence, textOf, type Violation } from './evidence.ts';

const died = /^[a-z]+\.message-died\.v1$/;

/** Only what was made to die has died; all of it has; and no key of a relay stands still. */
export function* findWrongDeaths(evidence: Evidence): Generator<Violation> {
  const buried = new Set<string>();
  for (const log of evidence.logs) {
    for (const letter of log.dump.events.filter((event) => died.test(event.type))) {
      const eventId = textOf(letter, 'eventId');
      buried.add(eventId);
      if (!isMeantToDie(evidence, eventId)) yield { check: 'dead-letters', what: `${log.service} buried ${eventId} of ${textOf(letter, 'topic')}: ${textOf(letter, 'reason')}` };
    }
    for (const row of log.dump.parked) {
      if (row.state === 'retry') yield { check: 'dead-letters', what: `${log.service} still keeps ${row.eventId} of ${row.topic} for later: ${row.reason ?? 'behind another'}` };
      if ((row.state === 'dead' || row.state === 'skipped') && !isMeantToDie(evidence, row.eventId)) yield { check: 'dead-letters', what: `${log.service} has ${row.eventId} of ${row.topic} as ${row.state}: ${row.reason ?? 'no reason'}` };
      if (row.state === 'dead') yield* undecided(evidence, log.service, row.eventId);
    }
    for (const key of log.dump.blocked) yield { check: 'dead-letters', what: `${log.service}: the relay does not send ${key}` };
  }
  for (const entry of evidence.injected.values()) {
    if (entry.what !== 'follower' && !buried.has(entry.eventId)) yield { check: 'dead-letters', what: `the ${entry.what} ${entry.eventId} on ${entry.topic} never died` };
  }
  yield* operatorsOnRecord(evidence);
}

/** An operator who was told that a message is left out must not find it there again. */
function* undecided(evidence: Evidence, service: string, eventId: string): Generator<Violation> {
  const skipped = evidence.journal('operator').some((entry) => entry.service === service && entry.eventId === eventId && entry.act === 'skip' && entry.status === 200);
  if (skipped) yield { check: 'dead-letters', what: `${service} was told to skip ${eventId} and still has it as dead` };
}

function* operatorsOnRecord(evidence: Evidence): Generator<Violation> {
  for (const entry of evidence.journal('operator').filter(({ status }) => status === 200)) {
    const leaves = evidence.log(entry.service).leaves.filter((leaf) => leaf.action === `parked.${entry.act}` && leaf.objectId === entry.eventId && leaf.permitted);
    if (leaves.length === 0) yield { check: 'lost', what: `${entry.service}: the ${entry.act} of ${entry.eventId} is not on record` };
  }
}

function isMeantToDie(evidence: Evidence, eventId: string): boolean {
  const entry = evidence.injected.get(eventId);
  return entry !== undefined && entry.what !== 'follower';
}

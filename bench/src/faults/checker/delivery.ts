import { type Evidence, type LogEvidence, textOf, type Violation } from './evidence.ts';

/** Who acts on what: written down here once more, so that a service that forgot a reaction is found out too. */
const acts: Readonly<Record<string, RegExp>> = {
  audit: /^[a-z]+\.audit-entry\.v1$/,
  referral: /^(intake\.(receipt-key-published|consent-withdrawn)|shelter\.(bed-held|hold-lost|stay-started|stay-ended|capacity-changed)|health\.(appointment-booked|appointment-attended|consultation-completed)|referral\.(declined|expired))\.v1$/,
  shelter: /^(referral\.(submitted|acknowledged|accepted|acceptance-refused|declined|expired|withdrawn|cancelled|failed|service-listed)|intake\.consent-withdrawn)\.v1$/,
  health: /^(referral\.(submitted|accepted|declined|expired|withdrawn|cancelled|failed)|intake\.consent-withdrawn)\.v1$/,
  notifications: /^referral\.(submitted|acknowledged|accepted|acceptance-refused|declined|scheduled|started|completed|loop-closed|cancelled|withdrawn|failed|expired)\.v1$/,
  intake: /^(referral\.(organisation-listed|service-listed|submitted)|shelter\.stay-started|health\.consultation-completed)\.v1$/,
};

/** Everything published is on its topic under its key, the topic carries nothing else, and every consumer has taken note of what it acts on. */
export function* findUndelivered(evidence: Evidence): Generator<Violation> {
  yield* compareTopics(evidence);
  for (const log of evidence.logs) yield* compareInbox(evidence, log);
  yield* findUntold(evidence);
}

function* compareTopics({ dump, logs, events, injected }: Evidence): Generator<Violation> {
  if (!dump.messages) return;
  const sent = new Set(dump.messages.map((message) => `${message.topic} ${message.key ?? ''} ${message.id ?? ''}`));
  for (const log of logs) {
    for (const event of log.dump.events) {
      if (event.topic !== null && !sent.has(`${event.topic} ${event.key} ${event.id}`)) yield { check: 'undelivered', what: `${event.type} ${event.id} of ${event.stream} v${event.version} is not on ${event.topic}` };
    }
  }
  for (const { topic, id, type } of dump.messages) {
    if (id !== null && injected.has(id)) continue;
    if (id === null || events.get(id)?.topic !== topic) yield { check: 'phantom', what: `${topic} carries ${type ?? 'something'} ${id ?? 'without an id'}, which no service has committed` };
  }
}

/** What a consumer has handled once it must have handled always; and what the table above says even if it never did. */
function* compareInbox(evidence: Evidence, log: LogEvidence): Generator<Violation> {
  const known = new Set(log.dump.inbox.map((row) => row.eventId));
  const handled = new Set(log.dump.inbox.flatMap((row) => evidence.events.get(row.eventId)?.type ?? []));
  for (const event of evidence.events.values()) {
    if (event.topic === null || known.has(event.id)) continue;
    if (handled.has(event.type) || acts[log.service]?.test(event.type)) yield { check: 'undelivered', what: `${log.service} never took note of ${event.type} ${event.id} of ${event.stream} v${event.version}` };
  }
  const parked = new Map(log.dump.parked.map((row) => [row.eventId, row]));
  for (const { eventId } of log.dump.inbox.filter((row) => row.outcome === 'parked')) {
    const state = parked.get(eventId)?.state;
    if (state !== 'done' && !evidence.injected.has(eventId)) yield { check: 'undelivered', what: `${log.service} parked ${eventId} and left it ${state ?? 'nowhere'}` };
  }
  const entries = new Set(evidence.dump.auditEntries);
  if (log.service !== 'audit') return;
  for (const row of log.dump.inbox) if (!entries.has(row.eventId)) yield { check: 'undelivered', what: `audit took note of ${row.eventId} and kept no entry` };
}

/** An answer is asked for, or has come: somebody must have been told of it. */
function* findUntold(evidence: Evidence): Generator<Violation> {
  const told = new Set(evidence.log('notifications').ofType('notifications.item-noted.v1').map((item) => `${item.cause ?? ''} ${textOf(item, 'organisationId')}`));
  const items = new Set(evidence.dump.items.map((item) => item.itemId));
  const referral = evidence.log('referral');
  for (const [type, party] of [['referral.submitted.v1', 'toOrg'], ['referral.accepted.v1', 'fromOrg']] as const) {
    for (const event of referral.ofType(type)) {
      if (!told.has(`${event.id} ${textOf(event, party)}`)) yield { check: 'undelivered', what: `nobody was told of ${type} of ${event.stream}` };
    }
  }
  for (const item of evidence.log('notifications').ofType('notifications.item-noted.v1')) {
    if (!items.has(item.stream)) yield { check: 'undelivered', what: `item ${item.stream} is noted and not listed` };
  }
}

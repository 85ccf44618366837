import { type Evidence, isAudit, type LogEvidence, repeated, textOf, type Violation } from './evidence.ts';

/** What happens to a referral once at most. */
const once = new Set(['submitted', 'accepted', 'declined', 'expired', 'cancelled', 'withdrawn', 'started', 'completed', 'loop-closed', 'failed'].map((name) => `referral.${name}.v1`));
/** Of these a referral sees one at most: two of them would be two answers. */
const answers = new Set(['accepted', 'declined', 'expired'].map((name) => `referral.${name}.v1`));
/** Acts that leave no idempotency row of their own: an import lists many entries under one key, an operator's act may be repeated. */
const keyless = /^(directory\.|parked\.)/;

/** One event, one command, one key: one effect. */
export function* findDoubled(evidence: Evidence): Generator<Violation> {
  for (const log of evidence.logs) {
    yield* doubledEvents(log);
    yield* doubledCommands(log);
  }
  yield* doubledItems(evidence);
  yield* doubledAnswers(evidence);
  for (const [key, entries] of repeated(evidence.acknowledged, (entry) => `${entry.client} ${entry.route} ${entry.idempotencyKey}`)) {
    if (new Set(entries.map((entry) => `${entry.stream} v${entry.version}`)).size > 1) yield { check: 'twice', what: `${key} was answered differently: ${entries.map((entry) => `${entry.stream} v${entry.version}`).join(', ')}` };
  }
  for (const [id] of repeated(evidence.dump.auditEntries, (entry) => entry)) yield { check: 'twice', what: `audit keeps ${id} more than once` };
}

function* doubledEvents(log: LogEvidence): Generator<Violation> {
  for (const [key] of repeated(log.dump.inbox, (row) => `${row.eventId} ${row.consumer}`)) yield { check: 'twice', what: `${log.service}: more than one inbox row of ${key}` };
  for (const [key] of repeated(log.dump.events, (event) => event.id)) yield { check: 'twice', what: `${log.service}: more than one event ${key}` };
  for (const [key] of repeated(log.dump.events, (event) => `${event.stream} v${event.version}`)) yield { check: 'twice', what: `${log.service}: more than one ${key}` };
  const caused = log.dump.events.filter((event) => event.cause !== null && !isAudit(event));
  for (const [key, events] of repeated(caused, (event) => `${event.cause ?? ''} ${event.type} ${event.stream}`)) yield { check: 'twice', what: `${log.service}: ${events.length} effects of ${key}` };
}

/** Each idempotency row stands for one act on record, and each act on record for one row. */
function* doubledCommands(log: LogEvidence): Generator<Violation> {
  const rows = Map.groupBy(log.dump.idempotency, (row) => `${row.stream} v${row.version}`);
  for (const [place, group] of rows) if (group.length > 1) yield { check: 'twice', what: `${log.service}: ${group.length} keys for ${place}` };
  const done = log.leaves.filter((leaf) => leaf.permitted && leaf.outcome === 'done' && !leaf.system && !keyless.test(leaf.action) && /^[0-9a-f-]{36}$/.test(leaf.objectId));
  for (const [place, group] of Map.groupBy(done, (leaf) => `${leaf.objectId} v${leaf.version ?? 0}`)) {
    if (group.length > 1) yield { check: 'twice', what: `${log.service}: ${group.length} audit entries of ${group[0]!.action} on ${place}` };
    if (!rows.has(place)) yield { check: 'twice', what: `${log.service}: ${group[0]!.action} on ${place} was done without its key` };
  }
}

function* doubledItems(evidence: Evidence): Generator<Violation> {
  const items = evidence.log('notifications').ofType('notifications.item-noted.v1');
  for (const [key, group] of repeated(items, (item) => `${textOf(item, 'organisationId')} of ${item.cause ?? ''}`)) yield { check: 'twice', what: `notifications told ${key} ${group.length} times` };
}

function* doubledAnswers(evidence: Evidence): Generator<Violation> {
  for (const [stream, events] of evidence.log('referral').streams) {
    for (const [type, group] of repeated(events.filter((event) => once.has(event.type)), (event) => event.type)) yield { check: 'twice', what: `${stream} has ${group.length} ${type}` };
    const given = events.filter((event) => answers.has(event.type));
    if (new Set(given.map((event) => event.type)).size > 1) yield { check: 'twice', what: `${stream} was answered more than once: ${given.map((event) => event.type).join(', ')}` };
    const refused = events.filter((event) => event.type === 'referral.acceptance-refused.v1');
    for (const [holdId, group] of repeated(refused, (event) => textOf(event, 'holdId'))) yield { check: 'twice', what: `${stream} refused hold ${holdId} ${group.length} times` };
  }
}

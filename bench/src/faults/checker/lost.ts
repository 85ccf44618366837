import type { CommandEntry } from '../journal.ts';
import type { Evidence, LogEvidence, Violation } from './evidence.ts';

/** Every acknowledged command, answered look and noted write left what it promised. */
export function* findLost(evidence: Evidence): Generator<Violation> {
  for (const entry of evidence.acknowledged) {
    const missing = missingOf(evidence.log(entry.service), entry);
    if (missing) yield { check: 'lost', what: `${entry.service} ${entry.route} ${entry.stream ?? '?'} v${entry.version ?? '?'} (key ${entry.idempotencyKey}): no ${missing}` };
  }
  for (const entry of evidence.journal('write')) {
    if (!evidence.log(entry.service).has(entry.stream, entry.version)) yield { check: 'lost', what: `${entry.service} ${entry.stream} v${entry.version}: a committed row is gone` };
  }
  yield* findLostLooks(evidence);
}

function missingOf(log: LogEvidence, entry: CommandEntry): string | undefined {
  const { stream, version } = entry;
  if (stream === undefined || version === undefined) return 'version in its answer';
  const event = log.find(stream, version);
  if (!event) return 'event';
  const onRecord = (log.leavesByCorrelation.get(event.correlation) ?? []).some((leaf) => leaf.permitted && leaf.outcome === 'done' && leaf.version === version);
  if (!onRecord) return 'audit entry';
  const row = log.idempotencyRow(entry);
  return row?.stream === stream && row.version === version ? undefined : 'idempotency row of that answer';
}

/** Audit before disclose: whatever was shown is on record, even if the answer was the last thing the process did. */
function* findLostLooks(evidence: Evidence): Generator<Violation> {
  for (const [service, looks] of Map.groupBy(evidence.journal('look'), (entry) => entry.service)) {
    const recorded = new Map<string, number>();
    for (const leaf of evidence.log(service).leaves) if (leaf.outcome === 'shown') recorded.set(leaf.objectId, (recorded.get(leaf.objectId) ?? 0) + 1);
    for (const [referralId, seen] of Map.groupBy(looks, (entry) => entry.referralId)) {
      if ((recorded.get(referralId) ?? 0) < seen.length) yield { check: 'lost', what: `${service} ${referralId}: shown ${seen.length} times, ${recorded.get(referralId) ?? 0} on record` };
    }
  }
}

import type { Evidence, Violation } from './evidence.ts';

interface Taken {
  readonly bedId: string;
  readonly holdId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

const ends = new Set(['released', 'expired', 'lost'].map((name) => `shelter.hold-${name}.v1`).concat('shelter.stay-ended.v1'));

/** No bed for two at a time: neither by the rows that stand now, nor at any moment of the shelter's own history. */
export function* findDoubleBeds(evidence: Evidence): Generator<Violation> {
  yield* overlaps(evidence.dump.beds, 'rows');
  yield* overlaps(takenByHistory(evidence), 'history');
}

function takenByHistory(evidence: Evidence): Taken[] {
  const taken: Taken[] = [];
  for (const [holdId, events] of evidence.log('shelter').streams) {
    const placed = events.find((event) => event.type === 'shelter.hold-placed.v1');
    if (!placed) continue;
    const ended = events.find((event) => ends.has(event.type));
    for (const bedId of placed.data.bedIds as string[]) taken.push({ bedId, holdId, fromMs: placed.atMs, untilMs: ended?.atMs ?? Number.POSITIVE_INFINITY });
  }
  return taken;
}

function* overlaps(rows: readonly Taken[], source: string): Generator<Violation> {
  for (const [bedId, group] of Map.groupBy(rows, (row) => row.bedId)) {
    let last: Taken | undefined;
    for (const row of group.toSorted((one, other) => one.fromMs - other.fromMs)) {
      if (last && row.holdId !== last.holdId && row.fromMs < last.untilMs) yield { check: 'beds', what: `bed ${bedId} by ${source}: ${last.holdId} until ${instant(last.untilMs)}, ${row.holdId} from ${instant(row.fromMs)}` };
      if (!last || row.untilMs > last.untilMs) last = row;
    }
  }
}

function instant(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'further notice';
}

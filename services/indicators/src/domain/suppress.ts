/**
 * A table of counts as a network of flows: each count is an edge, and what flows into a node flows out of it, which says
 * "these add up to that" for every line at once. A one-way table is a bundle of edges between two nodes, closed by the
 * total; a two-way table goes from a source over its rows and columns to a sink.
 */
export interface Count {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly value: number;
}

export interface Table {
  readonly counts: readonly Count[];
  /** These are never withheld for the sake of others, such as the total. */
  readonly kept: ReadonlySet<string>;
  /** Withheld already, because another answer withholds them. */
  readonly withheld?: ReadonlySet<string>;
}

/**
 * Which counts must not be shown: those under `k`, zero among them, and as many others as it takes so that none of them
 * follows from what is shown, and so that in no line the withheld ones add up to less than `k`. Deterministic: the same
 * table gives the same answer, since two different ones could be laid over each other.
 */
export function suppress(table: Table, k: number): Set<string> {
  const { counts, kept } = table;
  const hidden = new Set(counts.filter((count) => count.value < k || table.withheld?.has(count.id)).map((count) => count.id));
  // A total that is too small itself says everything about the rest.
  if (counts.some((count) => kept.has(count.id) && hidden.has(count.id))) return new Set(counts.map((count) => count.id));
  for (let round = 0; round <= counts.length; round += 1) {
    const open = counts.find((count) => hidden.has(count.id) && isExposed(count, counts, { hidden, k }));
    if (!open) return hidden;
    const next = cheapest(counts.filter((count) => !hidden.has(count.id) && !kept.has(count.id) && touches(count, open)))
      ?? cheapest(counts.filter((count) => !hidden.has(count.id) && !kept.has(count.id)));
    if (!next) break;
    hidden.add(next.id);
  }
  return new Set(counts.map((count) => count.id));
}

/** Whether a withheld count can be worked out, or stands in a line whose withheld counts together are too few. */
function isExposed(count: Count, counts: readonly Count[], options: { hidden: ReadonlySet<string>; k: number }): boolean {
  const { hidden, k } = options;
  if (!canDiffer(count, counts.filter((other) => hidden.has(other.id)))) return true;
  return [count.from, count.to].some((node) => [restOf(node, 'from'), restOf(node, 'to')].some((rest) => rest !== undefined && rest < k));

  /** What the withheld counts on one side of a node add up to, if the other side is shown in full. */
  function restOf(node: string, side: 'from' | 'to'): number | undefined {
    const other = side === 'from' ? 'to' : 'from';
    const mine = counts.filter((candidate) => candidate[side] === node && hidden.has(candidate.id));
    const otherSideShown = !counts.some((candidate) => candidate[other] === node && hidden.has(candidate.id));
    return mine.length > 0 && otherSideShown ? mine.reduce((sum, candidate) => sum + candidate.value, 0) : undefined;
  }
}

/**
 * Whether some other table without negative counts shows the same figures and has another count here: one more or one
 * less can be sent round a circle of withheld counts. That is exact: where no such circle exists, the count is known.
 */
function canDiffer(count: Count, hidden: readonly Count[]): boolean {
  const others = hidden.filter((other) => other.id !== count.id);
  return reaches(count.to, count.from, others) || (count.value > 0 && reaches(count.from, count.to, others));
}

/** Along a count that grows, or back along one that shrinks and is not zero. */
function reaches(start: string, end: string, edges: readonly Count[]): boolean {
  const seen = new Set([start]);
  const queue = [start];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (node === end) return true;
    for (const edge of edges) {
      const next = edge.from === node ? edge.to : edge.to === node && edge.value > 0 ? edge.from : undefined;
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return false;
}

function touches(count: Count, other: Count): boolean {
  return count.from === other.from || count.to === other.to || count.from === other.to || count.to === other.from;
}

function cheapest(counts: readonly Count[]): Count | undefined {
  return [...counts].sort((a, b) => a.value - b.value || (a.id < b.id ? -1 : 1))[0];
}

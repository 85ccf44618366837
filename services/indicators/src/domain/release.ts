/** Months from `from` to `to`, both included, counted through. */
export interface MonthRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The ranges whose totals could newly be worked out if `asked` were shown beside what was shown before. A range is an
 * edge between its two ends: whoever knows the totals along a path knows the total between any two points of it.
 */
export function openedBy(asked: MonthRange, released: readonly MonthRange[]): MonthRange[] {
  const start = connected(asked.from, released);
  const end = asked.to + 1;
  if (start.has(end)) return [];
  return [...start].flatMap((p) => [...connected(end, released)].map((q) => ({ from: Math.min(p, q), to: Math.max(p, q) - 1 })));
}

/**
 * Whether the total of a range may be shown: no total under `k`, nor an absence, may follow from it together with what
 * was shown before.
 */
export function mayShow(asked: MonthRange, options: { released: readonly MonthRange[]; countIn: (range: MonthRange) => number; k: number }): boolean {
  return openedBy(asked, options.released).every((range) => options.countIn(range) >= options.k);
}

/** Whether a range may be broken down: only if no other range with which it overlaps was, since cells could be subtracted too. */
export function mayBreakDown(asked: MonthRange, brokenDown: readonly MonthRange[]): boolean {
  return brokenDown.every((range) => (range.from === asked.from && range.to === asked.to) || range.to < asked.from || range.from > asked.to);
}

/** The points that are linked to this one by ranges that were shown. */
function connected(point: number, released: readonly MonthRange[]): Set<number> {
  const reached = new Set([point]);
  const queue = [point];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const { from, to } of released) {
      const next = from === at ? to + 1 : to + 1 === at ? from : undefined;
      if (next === undefined || reached.has(next)) continue;
      reached.add(next);
      queue.push(next);
    }
  }
  return reached;
}

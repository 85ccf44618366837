import type { PoolClient } from '@amana/persistence';
import type { PublishedRow } from './codec.ts';

/** Rows handed on at a time. */
export const batchRows = 500;
/** Keys of a large window read at a time; they stay text in this process, 100,000 of them are 4 MB. */
const keysPerPage = 100_000;
const largeWindowTimeoutMs = 120_000;

/** A `pg_snapshot` as the server writes it, with what the reader compares. */
export interface Snapshot {
  readonly text: string;
  readonly xmax: bigint;
  /** Transactions that were open below xmax, as an array literal. */
  readonly open: string;
}

/** Sees nothing: a new subscriber starts at the first event. */
export const beforeEverything = '1:1:';

export function toSnapshot(text: string): Snapshot {
  const [, xmax, open] = text.split(':');
  return { text, xmax: BigInt(xmax!), open: `{${open!}}` };
}

const columns = 'e.id, e.stream, e.version, e.type, e.topic, e.key, e.data::text AS "dataJson", e.meta, e.at, e.position';
const ofTopics = '($3::text[] IS NULL OR e.topic = ANY ($3::text[]))';

/** Visible in `until` and not in `since`: two index ranges, since what was open at `since` lies below its xmax. */
function windowSql(selected: string, until: string): string {
  return `
    SELECT ${selected} FROM cur CROSS JOIN published_event e
      WHERE e.xid >= pg_snapshot_xmax($1::pg_snapshot) AND e.xid < pg_snapshot_xmax(${until}) AND pg_visible_in_snapshot(e.xid, ${until}) AND ${ofTopics}
    UNION ALL
    SELECT ${selected} FROM cur CROSS JOIN published_event e
      WHERE e.xid = ANY ($2::text::xid8[]) AND pg_visible_in_snapshot(e.xid, ${until}) AND ${ofTopics}`;
}

// MATERIALIZED keeps the planner from walking the whole log in the order of the sort once its statistics mislead it.
const pollSql = `
  WITH cur AS MATERIALIZED (SELECT pg_current_snapshot() AS snap),
       w AS MATERIALIZED (SELECT * FROM (${windowSql(columns, 'cur.snap')}) AS found LIMIT ${batchRows + 1})
  SELECT cur.snap::text AS snap, w.* FROM cur LEFT JOIN w ON true ORDER BY w.position`;

const keysSql = `
  WITH cur AS MATERIALIZED (SELECT $4::pg_snapshot AS snap),
       w AS MATERIALIZED (SELECT * FROM (${windowSql('e.stream, e.version, e.position', 'cur.snap')}) AS found),
       page AS (SELECT *, (row_number() OVER (ORDER BY position) - 1) / ${batchRows} AS part FROM w WHERE position > $5::bigint ORDER BY position LIMIT ${keysPerPage})
  SELECT array_agg(stream)::text AS streams, array_agg(version)::text AS versions, max(position) AS last, count(*)::int AS count FROM page GROUP BY part ORDER BY part`;

const rowsSql = `
  SELECT ${columns} FROM unnest($1::text::uuid[], $2::text::int[]) AS k (stream, version)
    JOIN published_event e ON e.stream = k.stream AND e.version = k.version ORDER BY e.position`;

/**
 * For the session that reads windows: the poll is planned once, perhaps while the log is still empty, and that plan
 * must go by the index however large the log becomes.
 */
export const readerSettings = 'SET enable_seqscan = off; SET jit = off; SET max_parallel_workers_per_gather = 0';

export interface Poll {
  readonly snapshot: Snapshot;
  readonly rows: PublishedRow[];
  /** There are more rows than fit; `rows` is then not the beginning of the window, and `readLargeWindow` has to read it. */
  readonly large: boolean;
}

/** What became visible since `since`, in the order of writing, and the snapshot up to which this is complete. */
export async function pollWindow(client: PoolClient, since: Snapshot, topics: readonly string[] | null): Promise<Poll> {
  const answer = await client.query<PublishedRow & { snap: string }>({ name: 'relay-poll', text: pollSql, values: [since.text, since.open, topics] });
  const rows = answer.rows;
  const snapshot = toSnapshot(rows[0]!.snap);
  return { snapshot, rows: rows[0]!.id === null ? [] : rows, large: rows.length > batchRows };
}

interface KeyRange { streams: string; versions: string; last: string; count: number }

/**
 * A large window in batches, in the order of writing. Its keys are sorted once and its rows fetched by key: sorting
 * the rest of the window anew for each batch would make a backlog of 200,000 take a minute. The next batch is read
 * while the last one is handed on.
 */
export async function* readLargeWindow(client: PoolClient, window: { since: Snapshot; until: Snapshot }, topics: readonly string[] | null): AsyncGenerator<PublishedRow[]> {
  for (let last = '0'; ;) {
    const ranges = await readKeys(client, [window.since.text, window.since.open, topics, window.until.text, last]);
    for (let index = 0, next = ranges.length > 0 ? fetchRows(client, ranges[0]!) : undefined; next; index += 1) {
      const rows = await next;
      next = index + 1 < ranges.length ? fetchRows(client, ranges[index + 1]!) : undefined;
      next?.catch(() => {});
      yield rows;
    }
    if (ranges.reduce((count, range) => count + range.count, 0) < keysPerPage) return;
    last = ranges.at(-1)!.last;
  }
}

async function readKeys(client: PoolClient, values: unknown[]): Promise<KeyRange[]> {
  const answers = await Promise.all([
    client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${largeWindowTimeoutMs}`),
    client.query<KeyRange>({ name: 'relay-keys', text: keysSql, values }),
    client.query('COMMIT'),
  ]);
  return answers[1].rows;
}

async function fetchRows(client: PoolClient, range: KeyRange): Promise<PublishedRow[]> {
  const answer = await client.query<PublishedRow>({ name: 'relay-rows', text: rowsSql, values: [range.streams, range.versions] });
  return answer.rows;
}

/** Rows of one topic, or of one key in it, that are visible in `until` and not in `since`: what a blocked key has missed. */
export async function readMissed(client: PoolClient, missed: { topic: string; key: string | null; since: string; until: string; after: string }): Promise<PublishedRow[]> {
  const answer = await client.query<PublishedRow>({
    name: 'relay-missed', values: [missed.topic, missed.key, missed.since, missed.until, missed.after],
    text: `WITH w AS MATERIALIZED (SELECT ${columns} FROM published_event e
        WHERE e.xid >= pg_snapshot_xmin($3::pg_snapshot) AND e.xid < pg_snapshot_xmax($4::pg_snapshot) AND e.topic = $1 AND ($2::text IS NULL OR e.key = $2)
          AND NOT pg_visible_in_snapshot(e.xid, $3::pg_snapshot) AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot) AND e.position > $5::bigint)
      SELECT * FROM w ORDER BY position LIMIT ${batchRows}`,
  });
  return answer.rows;
}

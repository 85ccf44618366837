import pg from 'pg';
import type { Benchmark, Session } from './benchmark.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { median, percentile } from './statistics.ts';

const backlog = 40_000;
/** As many as one batch of the sequencer, so that the reference pays for as many commits. */
const batch = 1_000;
const perSecond = 50;
const seconds = 20;
const withinMs = 120_000;

const rateBar: Bar = { of: 'value', atLeast: 2_000 };
const rate = { name: 'ledger-sequence', unit: 'entries/s', reference: `rows/s of INSERT ... SELECT of the same bytes, ${batch} a commit`, bar: rateBar };
const delayBar: Bar = { of: 'value', atMost: 2_000 };
const delay = { name: 'ledger-checkpoint-p99', unit: 'ms', reference: 'p99 of one entry\'s own commit', bar: delayBar };

/** Entries as they would come over the bus: about 700 random bytes each, so that nothing can be packed or guessed. */
const keepSql = `INSERT INTO audit_entry (event_id, producer, key, tag, correlation, at, actor_tag, actor_org, actor_role, own_doing, action, object_type, object_id, decision, outcome, look, request_id, body)
  SELECT gen_random_uuid(), 'referral', 'k', 'BBBBBBBBBBBBBBBBBBBBBB', 'c', now(), 'AAAAAAAAAAAAAAAAAAAAAA', 'o', 'case-worker', false, 'referral.submit', 'referral', 'r', 'permit', 'done', false, 'q',
    convert_to((SELECT string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 19) WHERE n = n), 'UTF8') FROM generate_series(1, $1::int) AS n`;

/** How fast a running audit service gives waiting entries their places, and how soon after its commit a single entry stands under a signed root. */
export const ledgerSequence: Benchmark = {
  name: 'ledger-sequence',
  async measure(session: Session): Promise<Figure[]> {
    const missing = Network.withoutKafka();
    if (missing !== undefined) return [skippedFigure(rate, missing), skippedFigure(delay, missing)];
    const network = await Network.start(session, { kafka: true });
    await network.prepare('audit');
    await network.startIssuer();
    const [rates, copies, delays, commits]: [number[], number[], number[], number[]] = [[], [], [], []];
    await network.startService('audit');
    for (let run = 1; run <= session.runs; run += 1) {
      rates.push(await drainRate(network));
      copies.push(await copyRate(network));
      const single = await singleEntries(network);
      delays.push(single.delayMs);
      commits.push(single.commitMs);
      session.tell(`Run ${run}: ${rates.at(-1)!.toFixed(0)} entries/s, ${copies.at(-1)!.toFixed(0)} rows/s copied; p99 ${single.delayMs.toFixed(0)} ms from commit to checkpoint.`);
    }
    return [
      toFigure({ ...rate, value: median(rates), referenceValue: median(copies), note: `${backlog} waiting entries, durable` }),
      toFigure({ ...delay, value: median(delays), referenceValue: median(commits), note: `${perSecond} entries/s for ${seconds} s a run` }),
    ];
  },
};

/** Between the commits of the first and the last checkpoint of a backlog, as the server noted them. */
async function drainRate(network: Network): Promise<number> {
  const from = await sizeOf(network);
  await network.query('audit', keepSql, [backlog]);
  await untilSize(network, from + backlog);
  const rows = await network.query<{ size: string; ms: number }>('audit', 'SELECT size, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS ms FROM ledger_checkpoint WHERE size > $1 ORDER BY size', [from]);
  const [first, last] = [rows[0]!, rows.at(-1)!];
  return (Number(last.size) - Number(first.size)) / ((last.ms - first.ms) / 1000);
}

async function copyRate(network: Network): Promise<number> {
  const client = new pg.Client({ connectionString: network.adminUrl('audit') });
  await client.connect();
  try {
    await client.query('DROP TABLE IF EXISTS bench_copy; CREATE TABLE bench_copy (received bigint PRIMARY KEY, body bytea NOT NULL)');
    const startedMs = performance.now();
    for (let done = 0; done < backlog; done += batch) await client.query('INSERT INTO bench_copy SELECT received, body FROM audit_entry ORDER BY received OFFSET $1 LIMIT $2', [done, batch]);
    return backlog / ((performance.now() - startedMs) / 1000);
  } finally {
    await client.end();
  }
}

/** One entry a commit at a steady pace: the p99 from its commit to that of the first checkpoint over it, and of the commit itself. */
async function singleEntries(network: Network): Promise<{ delayMs: number; commitMs: number }> {
  const client = new pg.Client({ connectionString: network.adminUrl('audit') });
  await client.connect();
  const [from, commits, startedMs]: [number, number[], number] = [await sizeOf(network), [], performance.now()];
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    await new Promise((resolve) => { setTimeout(resolve, startedMs + (sent * 1000) / perSecond - performance.now()); });
    const beforeMs = performance.now();
    await client.query(keepSql, [1]);
    commits.push(performance.now() - beforeMs);
  }
  await client.end();
  await untilSize(network, from + perSecond * seconds);
  const delays = await network.query<{ ms: number }>('audit', `
    SELECT extract(epoch FROM pg_xact_commit_timestamp(c.xmin) - pg_xact_commit_timestamp(e.xmin))::float8 * 1000 AS ms
    FROM ledger_entry l JOIN audit_entry e USING (received) JOIN LATERAL (SELECT xmin FROM ledger_checkpoint WHERE size > l.idx ORDER BY size LIMIT 1) c ON true WHERE l.idx >= $1`, [from]);
  return { delayMs: percentile(delays.map(({ ms }) => ms), 0.99), commitMs: percentile(commits, 0.99) };
}

async function sizeOf(network: Network): Promise<number> {
  return Number((await network.query<{ size: string }>('audit', 'SELECT size FROM ledger_head'))[0]!.size);
}

async function untilSize(network: Network, size: number): Promise<void> {
  for (const untilMs = Date.now() + withinMs; await sizeOf(network) < size;) {
    if (Date.now() > untilMs) throw new Error('The entries did not get their places in time');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

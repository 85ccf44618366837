import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Benchmark, Session } from './benchmark.ts';
import { appendEvents, CursorRun } from './cursor-run.ts';
import { type Bar, type Figure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { findPostgresProgram, libpqEnvironment } from './pgbench.ts';
import { median } from './statistics.ts';

const bar: Bar = { of: 'value', atLeast: 20_000 };
const backlog = 200_000;
const columns = 'id, stream, version, type, topic, key, data, meta, at, position';
const plainRead = `SELECT ${columns} FROM event ORDER BY position`;

/** How fast the relay's cursor reads a backlog and hands it on, batch by batch in order, to a broker that would answer at once. */
export const relayDrain: Benchmark = {
  name: 'relay-drain',
  async measure(session: Session): Promise<Figure[]> {
    const network = await Network.start(session);
    await network.prepare('referral');
    session.tell(`Writing ${backlog} events.`);
    await appendEvents(network, 'referral', backlog);
    const psql = findPostgresProgram('psql');
    const [values, references]: [number[], number[]] = [[], []];
    for (let run = 1; run <= session.runs; run += 1) {
      values.push(backlog / await drainSeconds(session, network, `bench-${run}`));
      references.push(backlog / await (psql ? copySeconds(psql, network) : selectSeconds(network)));
      session.tell(`Run ${run}: ${values.at(-1)!.toFixed(0)} events/s by the cursor, ${references.at(-1)!.toFixed(0)} rows/s by a plain read.`);
    }
    const reference = `${psql ? 'psql COPY of' : 'one'} SELECT ... ORDER BY position of the same rows`;
    return [toFigure({ name: 'relay-drain', unit: 'events/s', reference, bar, value: median(values), referenceValue: median(references) })];
  },
};

/** From taking the lead to the last row handed on; each run is a new subscriber, which begins at the first event. */
async function drainSeconds(session: Session, network: Network, subscriber: string): Promise<number> {
  let [left, last] = [backlog, 0n];
  const drained = Promise.withResolvers<void>();
  const run = new CursorRun(session, network.urls.get('referral')!.relayUrl, {
    subscriber,
    onRows(rows) {
      for (const { position } of rows) {
        if (BigInt(position) <= last) drained.reject(new Error('Events were handed on out of order'));
        last = BigInt(position);
      }
      left -= rows.length;
      if (left <= 0) drained.resolve();
    },
  });
  const startedMs = performance.now();
  run.start();
  await drained.promise;
  const seconds = (performance.now() - startedMs) / 1000;
  await run.stop();
  run.check();
  if (left < 0) throw new Error('Events were handed on twice');
  return seconds;
}

async function copySeconds(psql: string, network: Network): Promise<number> {
  const startedMs = performance.now();
  await promisify(execFile)(psql, ['--no-psqlrc', '--quiet', '--command', `\\copy (${plainRead}) TO '/dev/null'`], { env: libpqEnvironment(network.adminUrl('referral')), signal: network.session.signal });
  return (performance.now() - startedMs) / 1000;
}

async function selectSeconds(network: Network): Promise<number> {
  const client = new pg.Client({ connectionString: network.adminUrl('referral') });
  await client.connect();
  const startedMs = performance.now();
  await client.query(plainRead);
  const seconds = (performance.now() - startedMs) / 1000;
  await client.end();
  return seconds;
}

import type { Network } from './network.ts';

const rowsPerStatement = 100_000;

/** Published events of the size and shape of a referral's, ten to a stream, each thousand of them in a transaction of its own as far as a reader can tell. */
export async function appendEvents(network: Network, database: 'referral' | 'intake', count: number): Promise<void> {
  for (let done = 0; done < count; done += rowsPerStatement) {
    const rows = Math.min(rowsPerStatement, count - done);
    await network.query(database, `
      INSERT INTO event (id, stream, version, type, topic, key, data, meta, at)
      SELECT gen_random_uuid(), s.stream, v.version, 'referral.acknowledged.v1', 'referral.referral.v1', s.stream::text,
        jsonb_build_object('referralId', s.stream, 'fromOrg', s.stream, 'toOrg', s.stream, 'note', repeat('x', 200)),
        '{"correlation": "bench", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}', now()
      FROM (SELECT gen_random_uuid() AS stream FROM generate_series(1, ${rows / 10})) AS s CROSS JOIN generate_series(1, 10) AS v (version)`);
  }
  await network.query(database, 'VACUUM ANALYZE event');
  await network.query(database, 'CHECKPOINT');
}

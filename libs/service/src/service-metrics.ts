import type { ServiceName } from '@amana/contracts';
import { type Bus, countParked } from '@amana/messaging';
import type { Database } from '@amana/persistence';
import { meter } from '@amana/telemetry';

const httpSeconds = meter('amana.http').createHistogram('http.server.request.duration', {
  unit: 's', description: 'Requests by route and status', advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
});

const alarms = meter('amana.bus').createCounter('amana.bus.alarms', { description: 'What an operator must know of the event path, by code' });

/** Notes an alarm of the event path. */
export function noteAlarm(service: ServiceName, code: string): void {
  alarms.add(1, { service, code });
}

/** Notes one answered request. */
export function noteRequest(request: { service: ServiceName; method: string; route: string; status: number; seconds: number }): void {
  httpSeconds.record(request.seconds, {
    service: request.service, 'http.request.method': request.method, 'http.route': request.route, 'http.response.status_code': request.status,
  });
}

/**
 * What an operator watches of one service's event path, read only when somebody asks for the metrics: parked and dead
 * messages, how far consumers are behind, what the relay has sent, how old the oldest overdue row is.
 */
export function observeService(options: { service: ServiceName; bus: Bus; database: Database }): () => void {
  const { service, bus, database } = options;
  const gauges = meter('amana.service');
  const parked = gauges.createObservableGauge('amana.parked.messages', { description: 'Messages that wait for a retry or for an operator' });
  const lag = gauges.createObservableGauge('amana.consumer.lag', { description: 'Messages known to be waiting on the bus' });
  const published = gauges.createObservableGauge('amana.relay.published', { description: 'Events this process has published since it started' });
  const leading = gauges.createObservableGauge('amana.relay.leading', { description: '1 while this process publishes for its service' });
  const overdue = gauges.createObservableGauge('amana.due.overdue', { unit: 's', description: 'Age of the oldest overdue row, in seconds' });
  const outbox = gauges.createObservableGauge('amana.outbox.lag.seconds', { unit: 's', description: 'Age of the oldest event that was committed and not yet published' });
  const inbox = gauges.createObservableGauge('amana.inbox.messages', { description: 'Messages since the process started, by outcome' });
  const observe: Parameters<typeof gauges.addBatchObservableCallback>[0] = async (result) => {
    const { relay, subscriptions } = bus.metrics();
    if (relay) {
      result.observe(published, relay.published, { service });
      result.observe(leading, relay.leading ? 1 : 0, { service });
    }
    for (const subscription of subscriptions) {
      if (subscription.lag !== undefined) result.observe(lag, subscription.lag, { service, consumer: subscription.consumer });
      for (const outcome of ['handled', 'duplicates', 'parked', 'dead'] as const) result.observe(inbox, subscription[outcome], { service, outcome });
    }
    try {
      if (relay) result.observe(outbox, await outboxLagSeconds(database), { service });
      const counts = await countParked(database.due);
      result.observe(parked, counts.retry, { service, state: 'retry' });
      result.observe(parked, counts.dead, { service, state: 'dead' });
      const { rows } = await database.due.query<{ age: number }>('SELECT COALESCE(extract(epoch FROM now() - min(due_at)), 0)::float AS age FROM due WHERE clock = \'real\' AND due_at < now()');
      result.observe(overdue, rows[0]!.age, { service });
    } catch {
      // A database that is away shows itself by the missing series, and by its own alert.
    }
  };
  const instruments = [parked, lag, published, leading, overdue, outbox, inbox];
  gauges.addBatchObservableCallback(observe, instruments);
  return () => gauges.removeBatchObservableCallback(observe, instruments);
}

async function outboxLagSeconds(database: Database): Promise<number> {
  const { rows } = await database.relay.query<{ age: number }>(`
    SELECT COALESCE(extract(epoch FROM now() - min(e.at)), 0)::float AS age
    FROM relay_state s LEFT JOIN published_event e ON e.xid >= pg_snapshot_xmin(s.snap) AND NOT pg_visible_in_snapshot(e.xid, s.snap)
    WHERE s.subscriber = 'relay'`);
  return Math.max(0, rows[0]?.age ?? 0);
}

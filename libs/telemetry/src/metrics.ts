import type { Attributes, Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { filterFields } from './safe-values.ts';
import type { ValueKind } from './safe-values.ts';

/** Series per instrument; more labels than that fall into one overflow series. */
const MAX_SERIES = 1_000;

/** Every label a metric may carry: codes with few values, never an id. */
const metricLabels = {
  action: 'code',
  bus: 'code',
  code: 'code',
  consumer: 'code',
  decision: 'code',
  eventType: 'code',
  group: 'code',
  kind: 'code',
  outcome: 'code',
  partition: 'number',
  pool: 'code',
  producer: 'code',
  reason: 'code',
  service: 'code',
  state: 'code',
  status: 'number',
  topic: 'code',
  urgency: 'code',
  'db.client.connection.state': 'code',
  'db.namespace': 'code',
  'db.operation.name': 'code',
  'error.type': 'error-name',
  'http.request.method': 'code',
  'http.response.status_code': 'number',
  'http.route': 'route',
  'messaging.destination.name': 'code',
  'messaging.operation.name': 'code',
} as const satisfies Record<string, ValueKind>;

interface Registry {
  readonly provider: MeterProvider;
  readonly reader: PrometheusExporter;
  readonly serializer: PrometheusSerializer;
}

let registry: Registry | undefined;

/**
 * Where counters, histograms, up-down counters and observable gauges are made, by the OpenTelemetry API. Names are dotted
 * (`amana.relay.published`, `amana.reaction.duration.ms`), with the unit last. Labels outside the list, and values that are no codes, are dropped.
 * Nothing is pushed: it costs memory only until someone asks for `metricsText`.
 */
export function meter(name = 'amana'): Meter {
  return meterProvider().getMeter(name);
}

/** Every metric of this process in the Prometheus text format (version 0.0.4). */
export async function metricsText(): Promise<string> {
  const { reader, serializer } = open();
  const { resourceMetrics } = await reader.collect();
  return serializer.serialize(resourceMetrics);
}

/** The provider behind `meter`, for instrumentations of this library. */
export function meterProvider(): MeterProvider {
  return open().provider;
}

function open(): Registry {
  if (registry !== undefined) return registry;
  // The exporter is used as a reader only: its own HTTP server would be a second, unguarded door.
  const reader = new PrometheusExporter({ preventServerStart: true });
  const attributesProcessors = [{ process: (labels: Attributes) => filterFields(metricLabels, labels).kept as Attributes }];
  const views = [{ instrumentName: '*', attributesProcessors, aggregationCardinalityLimit: MAX_SERIES }];
  registry = {
    provider: new MeterProvider({ readers: [reader], views }),
    reader,
    // Without target and scope lines: they would only repeat what the scrape itself says.
    serializer: new PrometheusSerializer('', false, undefined, true, true),
  };
  observeProcess(registry.provider.getMeter('process'));
  return registry;
}

/** Read when asked for, so that an idle process pays nothing. */
function observeProcess(processMeter: Meter): void {
  processMeter.createObservableGauge('process.resident.memory.bytes', { description: 'Resident memory' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  processMeter.createObservableCounter('process.cpu.seconds', { description: 'CPU time, user and system' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  processMeter.createObservableGauge('nodejs.eventloop.utilization', { description: 'Share of time the event loop was busy' })
    .addCallback((result) => result.observe(performance.eventLoopUtilization().utilization));
}

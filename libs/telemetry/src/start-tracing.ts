import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import { AllowListSpanProcessor } from './allow-list-span-processor.ts';
import { kafkaProducerTracing } from './kafka-producer-tracing.ts';
import { TraceFileProcessor } from './trace-file.ts';

/** Probes and scrapes come every few seconds from each checker; their traces would bury the acts. */
const UNTRACED_PATH = /\/(?:health\/(?:live|ready|startup)|metrics)(?:\?|$)/;
const TRACED_MODULES = ['http', 'https', 'pg', 'pg-pool', 'kafkajs'];

export interface TracingOptions {
  readonly service: string;
  /** Append finished spans to this file. */
  readonly traceFile?: string | undefined;
  /** Send finished spans by OTLP over HTTP to the collector that OTEL_EXPORTER_OTLP_* names. */
  readonly otlp: boolean;
}

/**
 * Starts tracing for this process; must run before `http`, `pg` and `kafkajs` are first imported. Assembled from its
 * parts and not by NodeSDK, which would also load exporters nobody asked for, send logs to a default address and record
 * the command line and the account. No propagator is registered: a trace goes on only where our own code carries it
 * (stored rows, messages of our bus), so that no request starts in a partner's trace and none takes ours out.
 */
export async function startTracing(options: TracingOptions): Promise<void> {
  register({ include: TRACED_MODULES });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracerProvider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.namespace': 'amana' }),
    spanProcessors: [new AllowListSpanProcessor(await exportingProcessors(options))],
  });
  trace.setGlobalTracerProvider(tracerProvider);
  registerInstrumentations({
    tracerProvider,
    instrumentations: [
      new HttpInstrumentation({
        disableOutgoingRequestInstrumentation: true,
        ignoreIncomingRequestHook: ({ url }) => url !== undefined && UNTRACED_PATH.test(url),
      }),
      // Polls and relays outside an act start no trace: they would be most of all spans and tell nothing.
      // The spans of waiting for a connection stay on: they also keep a query that had to wait in its own trace.
      new PgInstrumentation({ requireParentSpan: true }),
      kafkaProducerTracing(),
    ],
  });
}

async function exportingProcessors({ service, traceFile, otlp }: TracingOptions): Promise<SpanProcessor[]> {
  const processors: SpanProcessor[] = [];
  if (traceFile !== undefined) processors.push(new TraceFileProcessor(traceFile, service));
  if (otlp) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    // A full queue drops spans, never acts.
    processors.push(new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), maxQueueSize: 4_096, scheduledDelayMillis: 2_000 }));
  }
  return processors;
}

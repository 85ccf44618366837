/**
 * Preload of every service process: `node --import <this file> main.js`. Tracing starts when there is somewhere to send
 * it, and otherwise nothing is loaded at all.
 *
 * - `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`): spans go there by OTLP over HTTP.
 * - `AMANA_TRACE_FILE`: finished spans are appended to this file, one JSON object a line.
 * - `OTEL_SERVICE_NAME`, else `AMANA_SERVICE`: the name that spans carry; `amana` when unset.
 * - `OTEL_SDK_DISABLED=true`: no tracing whatever else is set.
 */
const { env } = process;
const traceFile = env['AMANA_TRACE_FILE'] || undefined;
const otlp = Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);

if ((traceFile !== undefined || otlp) && env['OTEL_SDK_DISABLED'] !== 'true') {
  const { startTracing } = await import('./start-tracing.ts');
  await startTracing({ service: env['OTEL_SERVICE_NAME'] || env['AMANA_SERVICE'] || 'amana', traceFile, otlp });
}

export {};

import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { currentTraceparent, flushTraces, setRoute, setSpanAttributes, withSpan } from './trace.ts';

const stored = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const exporter = new InMemorySpanExporter();

describe('tracing without a registered SDK', () => {
  it('only runs the function', async () => {
    expect(withSpan('act', {}, () => currentTraceparent())).toBeUndefined();
    expect(await withSpan('act', {}, async () => 7, { parent: stored })).toBe(7);
    expect(() => withSpan('act', {}, () => { throw new RangeError('x'); })).toThrow(RangeError);
    setSpanAttributes({ 'amana.count': 1 });
    setRoute('GET /v1/x');
    await flushTraces();
  });
});

describe('tracing with a registered SDK', () => {
  beforeEach(() => {
    register();
    exporter.reset();
  });
  afterAll(() => {
    trace.disable();
    context.disable();
  });

  it('starts a trace of its own when the stored one is malformed', () => {
    for (const parent of ['', 'x', stored.toUpperCase(), stored.replace('0af', 'zzz'), `${stored}-more`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      withSpan('act', {}, () => undefined, { parent });
    }
    for (const span of exporter.getFinishedSpans()) expect(span.parentSpanContext).toBeUndefined();
    expect(exporter.getFinishedSpans()).toHaveLength(6);
  });

  it('continues the stored trace even inside another one', () => {
    withSpan('other', {}, () => withSpan('act', { 'amana.event.type': 'referral.accepted.v1' }, () => undefined, { parent: stored, kind: 'consumer' }));
    const [span] = exporter.getFinishedSpans();
    expect(span!.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span!.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  });

  it('gives the traceparent of the span in progress, across awaits, and none outside', async () => {
    const seen = await withSpan('act', {}, async () => {
      await Promise.resolve();
      return currentTraceparent();
    });
    const { traceId, spanId } = exporter.getFinishedSpans()[0]!.spanContext();
    expect(seen).toBe(`00-${traceId}-${spanId}-01`);
    expect(currentTraceparent()).toBeUndefined();
  });

  it('passes on what the function throws and marks the span with its code, now or later', async () => {
    const failure = Object.assign(new Error('planted'), { code: '23505' });
    expect(() => withSpan('now', {}, () => { throw failure; })).toThrow(failure);
    await expect(withSpan('later', {}, async () => { throw failure; })).rejects.toBe(failure);
    for (const span of exporter.getFinishedSpans()) {
      expect(span).toMatchObject({ attributes: { 'error.type': '23505' }, status: { code: 2 }, events: [] });
    }
  });

  it('adds what became known during the span', async () => {
    withSpan('act', { 'amana.attempt': 1 }, () => setSpanAttributes({ 'amana.outcome': 'parked' }));
    await flushTraces();
    expect(exporter.getFinishedSpans()[0]!.attributes).toEqual({ 'amana.attempt': 1, 'amana.outcome': 'parked' });
  });
});

function register(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
}

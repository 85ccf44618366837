import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from '@jest/globals';
import { AllowListSpanProcessor } from './allow-list-span-processor.ts';

describe('what a span carries out of the process', () => {
  it('is nothing that was not declared: attributes, events, status messages, names and links are stripped', () => {
    const { tracer, exported } = tracing();
    const span = tracer.startSpan('lookup Planted Name', {
      attributes: { 'url.path': '/people/planted', 'db.query.text': "select 'planted'", 'http.route': '/people/planted%20name', 'amana.action': 'Planted Name' },
      links: [{ context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }, attributes: { planted: 'planted' } }],
    });
    span.setAttribute('messaging.kafka.message.key', 'planted');
    span.setAttribute('amana.outcome', ['planted']);
    span.addEvent('planted', { planted: 'planted' });
    span.recordException(new Error('planted'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'planted' });
    span.end();
    const [bare] = exported.getFinishedSpans();
    expect(JSON.stringify([bare!.name, bare!.attributes, bare!.events, bare!.status, bare!.links])).not.toMatch(/planted/i);
    expect(bare).toMatchObject({ name: 'unnamed', attributes: {}, events: [], status: { code: SpanStatusCode.ERROR } });
    expect(bare!.links).toEqual([{ context: expect.objectContaining({ traceId: '0af7651916cd43dd8448eb211c80319c' }) }]);
  });

  it('is what was declared, as it was set', () => {
    const { tracer, exported } = tracing();
    const attributes = { 'http.route': '/v1/referrals/:id', 'http.request.method': 'POST', 'amana.event.type': 'referral.accepted.v1', 'error.type': '23505', 'amana.attempt': 2, 'amana.duplicate': true };
    tracer.startSpan('POST /v1/referrals/:id', { attributes }).end();
    expect(exported.getFinishedSpans()[0]).toMatchObject({ name: 'POST /v1/referrals/:id', attributes });
  });
});

function tracing() {
  const exported = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new AllowListSpanProcessor([new SimpleSpanProcessor({ exporter: exported })])] });
  return { tracer: provider.getTracer('spec'), exported };
}

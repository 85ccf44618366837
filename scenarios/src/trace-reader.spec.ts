import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TraceLine } from '@amana/telemetry';
import { TraceReader } from './trace-reader.ts';

const span = (spanId: string, parentSpanId?: string, traceId = 't1'): TraceLine => ({
  traceId, spanId, parentSpanId, service: `service-${spanId}`, name: `act ${spanId}`, kind: 'internal', startedAtMs: 0, durationMs: 1, failed: false, attributes: {}, links: [],
});

describe('reading traces', () => {
  it('says where a trace is broken, also when only another trace knows the parent', () => {
    const reader = new TraceReader([span('1'), span('2', '1'), span('3', '9'), span('4', '1', 't2')]);
    expect(reader.lost.map(({ spanId }) => spanId)).toEqual(['3', '4']);
    expect(() => reader.wayTo(span('5', '3'))).toThrow('act 3 names a parent that nobody exported');
  });

  it('refuses a span that is its own ancestor', () => {
    const reader = new TraceReader([span('1', '2'), span('2', '1')]);
    expect(() => reader.wayTo(reader.spans[0]!)).toThrow('its own ancestor');
  });

  it('tells how a span came about, over all services', () => {
    const reader = new TraceReader([span('3', '2'), span('1'), span('2', '1')]);
    expect(reader.wayTo(reader.spans[0]!)).toEqual(['service-1: act 1', 'service-2: act 2', 'service-3: act 3']);
    expect(reader.find({ traceId: 't1', service: 'service-2' })).toEqual([span('2', '1')]);
    expect(reader.lost).toEqual([]);
  });

  it('leaves out a line that is still being written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'amana-traces-'));
    const file = join(folder, 'traces.ndjson');
    appendFileSync(file, `${JSON.stringify(span('1'))}\n${JSON.stringify(span('2', '1')).slice(0, 20)}`);
    const { spans } = TraceReader.read(file);
    rmSync(folder, { recursive: true });
    expect(spans.map(({ spanId }) => spanId)).toEqual(['1']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { meter, metricsText } from './metrics.ts';

describe('metrics', () => {
  it('drop labels that nobody declared and values that are no codes', async () => {
    const counter = meter().createCounter('amana.looks');
    counter.add(1, { person: 'planted', outcome: 'Planted Name', topic: 'referral.referral.v1', requestId: 'planted' });
    const text = await metricsText();
    expect(text).toContain('amana_looks_total{topic="referral.referral.v1"} 1');
    expect(text).not.toMatch(/planted/i);
  });

  it('keep the number of series bounded', async () => {
    const counter = meter().createCounter('amana.many');
    for (let index = 0; index < 3_000; index += 1) counter.add(1, { code: `code-${index}` });
    const lines = (await metricsText()).split('\n').filter((line) => line.startsWith('amana_many_total'));
    expect(lines.length).toBeLessThanOrEqual(1_001);
  });

  it('are told in the Prometheus text format, with those of the process', async () => {
    const histogram = meter().createHistogram('amana.handled.ms', { advice: { explicitBucketBoundaries: [1, 10] } });
    histogram.record(4, { consumer: 'on-bed-held' });
    meter().createObservableGauge('amana.pending').addCallback((result) => result.observe(3, { kind: 'deadline' }));
    const text = await metricsText();
    expect(text).toContain('# TYPE amana_handled_ms histogram');
    expect(text).toContain('amana_handled_ms_bucket{consumer="on-bed-held",le="10"} 1');
    expect(text).toContain('amana_pending{kind="deadline"} 3');
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d+/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });
});

import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createKafka, type KafkaLogLevel } from './kafka-client.ts';

interface RequestQueue {
  pending: { send: () => void; expectResponse: boolean; correlationId: number; completed: () => void }[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

const Queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (options: object) => RequestQueue;

describe('the Kafka client', () => {
  beforeEach(() => { jest.useFakeTimers(); });
  afterEach(() => { jest.useRealTimers(); });

  function queue(): RequestQueue {
    createKafka({ brokers: ['127.0.0.1:1'], clientId: 'spec' });
    return new Queue({ maxInFlightRequests: 1, requestTimeout: 1_000, logger: { debug: () => {}, warn: () => {} } });
  }

  it('sets no timer while nothing waits to be sent', () => {
    queue().scheduleCheckPendingRequests();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what a broker has throttled once the time is over, and rests again', () => {
    const throttled = queue();
    const sent: number[] = [];
    throttled.throttledUntil = Date.now() + 200;
    throttled.pending.push({ send: () => { sent.push(Date.now()); }, expectResponse: false, correlationId: 1, completed: () => {} });
    throttled.scheduleCheckPendingRequests();
    throttled.scheduleCheckPendingRequests();
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(199);
    expect(sent).toHaveLength(0);
    jest.advanceTimersByTime(20);
    expect(sent).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('calls the normal life of a group no error, and passes on no content', () => {
    const said: [KafkaLogLevel, string][] = [];
    const logger = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'spec', onLog: (level, text) => { said.push([level, text]); } }).logger();
    logger.error('Response Heartbeat', { error: 'The group is rebalancing, so a rejoin is needed', payload: 'never' });
    logger.error('Offset out of range, resetting to default offset', { topic: 'x' });
    logger.warn('Something else');
    expect(said).toEqual([['debug', 'Response Heartbeat'], ['error', 'Offset out of range, resetting to default offset'], ['warn', 'Something else']]);
  });
});

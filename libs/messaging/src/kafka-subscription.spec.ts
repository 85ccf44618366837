import { describe, expect, it } from '@jest/globals';
import type { Consumer, ConsumerCrashEvent, Kafka } from 'kafkajs';
import type { Inbox } from './inbox.ts';
import { KafkaSubscription } from './kafka-subscription.ts';

/** A client whose consumer gives up while it joins its group. */
function crashing(): Kafka {
  const heard = new Map<string, (event: ConsumerCrashEvent) => void>();
  const crash = (): void => heard.get('crash')!({ payload: { error: new TypeError('x is undefined'), groupId: 'spec', restart: false } } as ConsumerCrashEvent);
  const consumer = {
    events: { GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash' }, on: (name: string, listener: (event: ConsumerCrashEvent) => void) => heard.set(name, listener),
    connect: () => Promise.resolve(), subscribe: () => Promise.resolve(), run: () => { crash(); return Promise.resolve(); }, disconnect: () => Promise.resolve(),
  };
  return { consumer: () => consumer as unknown as Consumer } as unknown as Kafka;
}

describe('a consumer that its client has given up', () => {
  it('fails its start, instead of waiting for a group that nobody joins any more', async () => {
    const fatal: string[] = [];
    const feed = new KafkaSubscription({ kafka: crashing(), inbox: { consumer: 'spec', topics: ['t'] } as unknown as Inbox, onAlarm: () => {}, onFatal: (error) => { fatal.push(error.name); } });
    await expect(feed.start()).rejects.toThrow(TypeError);
    expect([fatal, feed.ready]).toEqual([['TypeError'], false]);
  });
});

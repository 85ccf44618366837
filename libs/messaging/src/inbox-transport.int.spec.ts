import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { type Transaction, openPool, type Pool, type ServiceUrls } from '@amana/persistence';
import { eventually, throwawayDatabase, type ThrowawayServer, throwawayServer } from '@amana/testing';
import { Catch, Controller, type ExceptionFilter, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EMPTY, type Observable } from 'rxjs';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { type Bus, openBus } from './bus.ts';
import type { ReceivedEvent } from './codec.ts';
import { acknowledged, consumerMigrations, consumerName } from './conformance-network.ts';
import { InboxContext, InboxTransport, Reaction } from './inbox-transport.ts';
import { listParked } from './parked-messages.ts';

/** As a service has one for HTTP: it would turn a reaction's error into an answer. */
@Catch()
class SwallowEverything implements ExceptionFilter {
  catch(): string {
    return 'problem body';
  }
}

@Controller()
class OnReferral {
  @Reaction('referral.acknowledged.v1')
  on(event: ReceivedEvent<{ referralId: string }>, context: InboxContext): Observable<never> {
    note(event, context.getTransaction());
    if (refused.has(event.data.referralId)) throw new Refusal('illegal-transition');
    return EMPTY;
  }

  @Reaction('referral.scheduled.v1', 'referral.started.v1')
  onSeveral(): void {}
}

@Controller()
class OnReferralToo {
  @Reaction('referral.acknowledged.v1')
  on(): void {}
}

@Controller()
class Answers {
  @MessagePattern('referral.started.v1')
  answer(): number {
    return 1;
  }
}

const refused = new Set<string>();

function note(event: ReceivedEvent, tx: Transaction): void {
  tx.write({ name: 'effect', text: 'INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)', values: [event.id, event.key, event.aggregateVersion] });
}

describe('the inbox transport of NestJS', () => {
  let server: ThrowawayServer;
  let producer: ServiceUrls;
  let pools: { producer: Pool; consumer: Pool };
  let app: INestApplication | undefined;
  let bus: Bus;

  beforeAll(async () => {
    server = await throwawayServer((stateDir) => startPostgres({ stateDir, durable: false }));
    producer = await throwawayDatabase(server.adminUrl, 'referral');
    const consumer = await throwawayDatabase(server.adminUrl, consumerName, consumerMigrations);
    pools = { producer: openPool(producer.appUrl, 2), consumer: openPool(consumer.appUrl, 8) };
  }, 120_000);

  afterEach(async () => {
    await bus?.stop();
    await app?.close();
    app = undefined;
  });

  afterAll(async () => {
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
    await server.stop();
  });

  async function boot(...controllers: (new () => object)[]): Promise<InboxTransport> {
    @Module({ controllers })
    class Service {}
    bus = openBus({ kind: 'postgres', service: consumerName, sourceUrl: () => producer.busUrl, onAlarm: () => {} });
    const transport = new InboxTransport({ bus, consumer: consumerName, pool: pools.consumer, onAlarm: () => {} });
    app = await NestFactory.create(Service, new FastifyAdapter(), { logger: false, abortOnError: false });
    app.useGlobalFilters(new SwallowEverything());
    app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    return transport;
  }

  it('does not boot with two reactions to one event', async () => {
    await expect(boot(OnReferral, OnReferralToo)).rejects.toThrow('referral.acknowledged.v1: two reactions in one consumer');
  });

  it('does not boot with a handler that wants to answer', async () => {
    await expect(boot(OnReferral, Answers)).rejects.toThrow('referral.started.v1');
  });

  it('does not boot with a reaction to an event that nobody publishes', async () => {
    @Controller()
    class OnNothing {
      @Reaction('referral.invented.v1')
      on(): void {}
    }
    await expect(boot(OnNothing)).rejects.toThrow('No published event is called referral.invented.v1');
  });

  it('calls a reaction inside the open transaction, and keeps the class of its error past a filter made for HTTP', async () => {
    const [good, bad] = [randomUUID(), randomUUID()];
    refused.add(bad);
    const transport = await boot(OnReferral);
    await pools.producer.query(insertOf(bad));
    await pools.producer.query(insertOf(good));
    await eventually(async () => (await pools.consumer.query('SELECT 1 FROM effect WHERE key = $1', [good])).rowCount === 1);
    const parked = await eventually(async () => (await listParked(pools.consumer)).find(({ key }) => key === bad));
    expect(parked).toMatchObject({ state: 'dead', reason: 'refusal:illegal-transition', type: 'referral.acknowledged.v1' });
    expect((await pools.consumer.query('SELECT 1 FROM effect WHERE key = $1', [bad])).rowCount).toBe(0);
    expect(bus.metrics().subscriptions).toMatchObject([{ consumer: consumerName, handled: 1, dead: 1 }]);
    expect(transport.getHandlers().size).toBe(3);
  });
});

function insertOf(key: string): { text: string; values: unknown[] } {
  const { text, values } = acknowledged(key, 1);
  return { text, values: [...values] };
}

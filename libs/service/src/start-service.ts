import 'reflect-metadata';
import { createHmac } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Refusal } from '@amana/contracts';
import { type Alarm, InboxTransport, openBus, parkedKind } from '@amana/messaging';
import { Clock, Database, DueWorker, SealedStore } from '@amana/persistence';
import { openLocalKeyring } from '@amana/privacy';
import { createLogger, type Logger, withSpan } from '@amana/telemetry';
import { AuditTrail } from './audit-trail.ts';
import { Authenticator } from './authenticator.ts';
import type { DueSlice, ServiceDefinition, StartSlice } from './define-service.ts';
import { EdgeInterceptor } from './edge-interceptor.ts';
import { PolicyGuard } from './guard.ts';
import { Housekeeping } from './housekeeping.ts';
import { edgeHeaders, prepareHttp } from './http-edge.ts';
import { Looks } from './looks.ts';
import { OperatorRoutes } from './operator-routes.ts';
import { ProblemFilter, sendProblem, traceIdOf } from './problem.ts';
import { routesOf } from './route.ts';
import { RunningService } from './running-service.ts';
import { readSettings, ServiceSettings, type ServiceSettingsInput } from './settings.ts';
import { noteAlarm, observeService } from './service-metrics.ts';
import { StreamEngine } from './stream.ts';
import { ServiceState, SystemRoutes } from './system-routes.ts';
import { Keys, Log, ServiceSettingsToken } from './tokens.ts';

const bodyLimitBytes = 1_048_576;

@Module({})
class ServiceModule {}

/**
 * Starts a service: HTTP first, so that probes answer, then bus, due rows and what it does at start; ready last.
 * Throws when a setting is wrong, a route lacks its policy, or an event has two handlers.
 */
export async function startService(definition: ServiceDefinition, input: ServiceSettingsInput): Promise<RunningService> {
  const settings = ServiceSettings.parse(input);
  routesOf([...definition.controllers, SystemRoutes, OperatorRoutes] as never);
  const { logger } = new Log(createLogger({ service: definition.name, level: settings.logLevel }));
  const running = new RunningService();
  running.database = new Database(settings, () => logger.warn('database-connection-lost'));
  running.clock = new Clock(settings.clockOffsetMs);
  const keyring = await openLocalKeyring(settings.keyringFile);
  const trail = new AuditTrail({ service: definition.name, keys: keyring, clock: running.clock });
  const engine = new StreamEngine({
    service: definition.name, database: running.database, clock: running.clock, trail, projections: definition.projections,
    bodySecret: createHmac('sha256', keyring.hmacSync('idempotency', definition.name)).digest(),
  });
  const onAlarm = (alarm: Alarm): void => {
    noteAlarm(definition.name, alarm.code);
    logger.error('bus-alarm', { code: alarm.code, topic: alarm.topic, eventId: alarm.eventId, reason: alarm.reason });
  };
  const bus = openBus(settings.bus === 'kafka'
    ? {
        kind: 'kafka', service: definition.name, brokers: settings.brokers!.split(','), relayPool: running.database.relay, onAlarm, createTopics: true,
        onFatal: () => { running.markDead(); logger.fatal('consumer-stopped'); },
      }
    : { kind: 'postgres', service: definition.name, sourceUrl: (producer) => settings.busUrls[producer]!, onAlarm });
  const transport = new InboxTransport({
    bus, consumer: definition.name, pool: running.database.bus, onAlarm,
    // One span a message, continued from the act that caused it: the trace goes on through the bus.
    around: (event, run) => withSpan(`process ${event.type}`, { 'messaging.destination.name': event.topic, 'amana.event.type': event.type }, run, { parent: event.traceparent, kind: 'consumer' }),
  });
  running.bus = bus;
  const app = await createApp(definition, [
    { provide: ServiceState, useValue: running }, { provide: ServiceSettingsToken, useValue: settings }, { provide: Database, useValue: running.database }, { provide: Clock, useValue: running.clock },
    { provide: StreamEngine, useValue: engine }, { provide: AuditTrail, useValue: trail }, { provide: Keys, useValue: new Keys(keyring) }, { provide: Log, useValue: new Log(logger) },
    { provide: SealedStore, useValue: new SealedStore(keyring) }, { provide: Authenticator, useValue: new Authenticator(settings) },
    { provide: APP_FILTER, useValue: new ProblemFilter(definition.name, logger) }, { provide: APP_GUARD, useClass: PolicyGuard }, { provide: APP_INTERCEPTOR, useClass: EdgeInterceptor },
  ], logger);
  running.app = app;
  const due = [Housekeeping, ...definition.due].map((slice) => app.get<DueSlice>(slice));
  running.due = new DueWorker({
    pool: running.database.due, clock: running.clock,
    handlers: new Map([...due.map((slice): [string, DueSlice['handle']] => [slice.kind, (row, tx) => slice.handle(row, tx)]), [parkedKind, transport.parkedHandler]]),
    onError: (kind, error) => logger.error('due-row-failed', { kind, error }),
  });
  engine.onCommit = () => bus.poke();
  app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
  await app.listen(settings.port, settings.host);
  running.url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  running.describe(async () => {
    const { openApiOf } = await import('./openapi.ts');
    return openApiOf(definition, new URL('token', `${settings.issuer}/`).href);
  });
  await bus.start();
  await app.startAllMicroservices();
  running.due.start();
  for (const slice of [Housekeeping, ...definition.onStart]) await app.get<StartSlice>(slice).onStart();
  running.onStop(observeService({ service: definition.name, bus, database: running.database }));
  running.markReady();
  logger.info('service-ready');
  return running;
}

/** What a service's `main.ts` calls: settings from the environment, a ready line on standard output, an orderly end on SIGTERM and SIGINT, exit code 1 when only a restart helps. */
export async function startFromEnvironment(definition: ServiceDefinition): Promise<void> {
  const running = await startService(definition, readSettings(definition.name));
  process.stdout.write(`serving ${running.url}\n`);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => { void running.stop().then(() => process.exit(0), () => process.exit(1)); });
  }
  // A process that cannot go on is not waited for until a probe finds it.
  void running.died.then(() => running.stop()).finally(() => process.exit(1));
  process.on('message', (message: { clockOffsetMs?: number }) => { if (typeof message.clockOffsetMs === 'number') running.clock.moveTo(message.clockOffsetMs); });
  // The launcher is gone: nobody would stop this process any more.
  process.on('disconnect', () => { void running.stop().finally(() => process.exit(0)); });
}

async function createApp(definition: ServiceDefinition, providers: Provider[], logger: Logger): Promise<NestFastifyApplication> {
  const root: DynamicModule = {
    module: ServiceModule,
    controllers: [...definition.controllers, ...definition.reactions, SystemRoutes, OperatorRoutes] as never,
    providers: [...providers, Looks, Housekeeping, ...definition.providers, ...definition.due, ...definition.onStart] as Provider[],
  };
  const adapter = new FastifyAdapter({
    bodyLimit: bodyLimitBytes, genReqId: () => crypto.randomUUID(), forceCloseConnections: 'idle', trustProxy: false,
    // An address that is none, before any route or hook is reached: what cannot be an id does not exist.
    frameworkErrors: (_error: unknown, request: { readonly id: string }, reply: unknown) => {
      const known = (reply as FastifyReply).headers(edgeHeaders);
      sendProblem(known, new Refusal('not-found'), { service: definition.name, traceId: traceIdOf(request.id) });
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, { logger: false, bodyParser: false, abortOnError: false });
  prepareHttp(adapter.getInstance(), { service: definition.name, logger });
  return app;
}


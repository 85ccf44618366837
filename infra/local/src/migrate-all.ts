import { parseArgs } from 'node:util';
import { ServiceName, topics, topicsOf } from '@amana/contracts';
import { ensureTopics } from '@amana/messaging';
import { migrate, provision } from '@amana/persistence';
import type { SliceClass } from '@amana/service';
import { readEnvironment, runProgram } from './entry-point.ts';
import { serviceDefinitions } from './services.ts';

/**
 * Brings every service's database (or that of `--service NAME`) to its newest shape: database, roles, tables, rights.
 * With KAFKA_BROKERS the topics too. The same again changes nothing; several at once wait for each other.
 */
await runProgram(async () => {
  const { values } = parseArgs({ options: { service: { type: 'string' } } });
  const settings = readEnvironment('migrate');
  const services = values.service === undefined ? ServiceName.options : [oneOf(values.service)];
  for (const service of services) {
    const { ownerUrl } = await provision({
      adminUrl: settings.AMANA_ADMIN_DATABASE_URL, service, roleSecret: settings.AMANA_ROLE_SECRET, prefix: settings.AMANA_DB_PREFIX,
    });
    await migrate(ownerUrl, serviceDefinitions[service].migrations);
    console.log(`${service}: the database is ready`);
  }
  if (settings.KAFKA_BROKERS) await prepareTopics(settings.KAFKA_BROKERS, services);
});

function oneOf(name: string): ServiceName {
  const service = ServiceName.safeParse(name);
  if (!service.success) throw new Error(`There is no service "${name}". Choose one of: ${ServiceName.options.join(', ')}.`);
  return service.data;
}

async function prepareTopics(brokers: string, services: readonly ServiceName[]): Promise<void> {
  const made = await ensureTopics({ brokers: brokers.split(','), clientId: 'amana-migrate' }, {
    topics, consumers: services.map((service) => ({ consumer: service, topics: topicsRead(serviceDefinitions[service].reactions) })),
  });
  console.log(made.length === 0 ? 'topics: all there' : `topics: ${made.length} made`);
}

/** The topics that a service's reactions read; each needs a dead-letter topic before the first message that fails. */
function topicsRead(reactions: readonly SliceClass[]): string[] {
  const types = reactions.flatMap(({ prototype }) => {
    const methods = Object.values(Object.getOwnPropertyDescriptors(prototype as object)).map(({ value }) => value as unknown).filter((value) => typeof value === 'function');
    // NestJS keeps the patterns of an @EventPattern under this key.
    return methods.flatMap((method) => Reflect.getMetadata('microservices:pattern', method) as string[] | undefined ?? []);
  });
  return topicsOf(types);
}

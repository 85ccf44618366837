import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { keepSandboxCredentials } from './issuer-state.ts';
import { seedDirectory } from './seed.ts';
import { Stack } from './stack.ts';

const usage = `npm start -- [options]
  --bus kafka|postgres   the bus; without it Kafka where a broker is given (KAFKA_BROKERS) or Java 17 and Maven are at hand
  --port N               the router's port; a free one otherwise
  --replicas N           processes per service; without it all services run in this one
  --fresh                forget everything and begin anew
  --help`;

/** `npm start`: the whole network on this machine, with its invented organisations, until Ctrl-C. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { bus: { type: 'string' }, port: { type: 'string' }, replicas: { type: 'string' }, fresh: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) { console.log(usage); return; }
  const bus = values.bus ?? process.env.AMANA_BUS ?? 'auto';
  if (bus !== 'auto' && bus !== 'kafka' && bus !== 'postgres') throw new Error(`The bus is kafka or postgres, not ${bus}`);
  const stateDir = process.env.AMANA_STATE_DIR ?? resolve('.amana/sandbox');
  if (values.fresh) rmSync(stateDir, { recursive: true, force: true });
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort());
  const stack = await Stack.start({
    stateDir, bus, port: Number(values.port ?? process.env.AMANA_PORT ?? 0), replicas: Number(values.replicas ?? 0),
    given: { adminUrl: process.env.AMANA_DATABASE_URL, brokers: process.env.KAFKA_BROKERS }, witnesses: process.env.AMANA_WITNESSES?.split(','), onProgress: (line) => console.log(`  ${line}`),
  });
  try {
    const listed = await seedDirectory(stack, { startsAt: new Date() });
    const { sandboxPassword: password } = await keepSandboxCredentials(stateDir);
    writeFileSync(join(stateDir, 'running.json'), JSON.stringify({ url: stack.url, issuerUrl: stack.issuer.url, pid: process.pid }));
    console.log(readyText(stack, listed, { password, stateDir }));
    if (!stopped.signal.aborted) await new Promise((done) => { stopped.signal.addEventListener('abort', done); });
    console.log('Stopping');
  } finally {
    rmSync(join(stateDir, 'running.json'), { force: true });
    await stack.stop();
  }
}

function readyText(stack: Stack, listed: { organisations: number; services: number }, sandbox: { password: string; stateDir: string }): string {
  const bus = stack.bus === 'kafka' ? `Kafka at ${stack.brokers}` : 'the embedded Postgres bus';
  return `
Amana is running at ${stack.url}
  Bus: ${bus}. Sandbox mode: fictional data only.
  Directory: ${listed.organisations} organisations, ${listed.services} services.
  Tokens: ${stack.issuer.tokenUrl}; key files of the partner systems: ${join(sandbox.stateDir, 'clients')}
  Staff accounts: user names in infra/local/network/accounts.json, password ${sandbox.password}

Try next, in a second terminal:
  curl -s ${stack.url}/v1/openapi.json
  npm run scenario -- alice
Ctrl-C stops everything; the data stays for the next start.`;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

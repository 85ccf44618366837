import { ServiceName } from '@amana/contracts';
import { readEnvironment, runProgram, serveUntilStopped } from './entry-point.ts';
import { startRouter } from './router.ts';

/**
 * The router as a process of its own. AMANA_UPSTREAMS is where a service's replicas are, `{service}` standing for its
 * name: `http://{service}:8080`, or several such patterns with commas between them.
 */
await runProgram(async () => {
  const settings = readEnvironment('router');
  const patterns = settings.AMANA_UPSTREAMS.split(',').map((pattern) => pattern.trim());
  const upstreams = Object.fromEntries(ServiceName.options.map((service) => [service, patterns.map((pattern) => pattern.replaceAll('{service}', service))]));
  const router = await startRouter({
    host: settings.AMANA_HOST, port: settings.AMANA_PORT, upstreams,
    issuer: settings.AMANA_ISSUER, tokenUrl: `${settings.AMANA_ISSUER}/token`,
  });
  await serveUntilStopped(router.url);
  await router.stop();
});

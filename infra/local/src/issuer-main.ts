import { join, resolve } from 'node:path';
import { readEnvironment, runProgram, serveUntilStopped } from './entry-point.ts';
import { startIssuer } from './issuer.ts';
import { readAccounts, readClients } from './network-accounts.ts';

const networkDir = resolve(import.meta.dirname, '../network');

/** The sandbox's issuer as a process of its own. Its keys, and one key file per partner system, are kept in AMANA_STATE_DIR. */
await runProgram(async () => {
  const settings = readEnvironment('issuer');
  const [accounts, clients] = await Promise.all([readAccounts(join(networkDir, 'accounts.json')), readClients(join(networkDir, 'clients.json'))]);
  const issuer = await startIssuer({
    host: settings.AMANA_HOST, port: settings.AMANA_PORT, stateDir: settings.AMANA_STATE_DIR, accounts, clients,
    // Behind a published port or an ingress callers know it by another address than the one it listens on.
    ...(settings.AMANA_ISSUER === undefined ? {} : { publicUrl: settings.AMANA_ISSUER }),
  });
  await serveUntilStopped(issuer.url);
  await issuer.stop();
});

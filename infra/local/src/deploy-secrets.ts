import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceName } from '@amana/contracts';
import { urlsOf } from '@amana/persistence';
import { openLocalKeyring } from '@amana/privacy';
import { z } from 'zod';
import { readEnvironment, runProgram } from './entry-point.ts';
import { keepPrivateJson } from './json-file.ts';

const Drawn = z.strictObject({ postgresPassword: z.string().min(32), roleSecret: z.string().min(32), grafanaPassword: z.string().min(32) });
const draw = (): string => randomBytes(32).toString('base64url');

/**
 * Draws every secret that a deployment needs, once, and writes it to AMANA_STATE_DIR (0700, files 0600):
 * `compose.env` for docker compose, and one folder per Kubernetes Secret, whose files are the Secret's keys. A service's
 * folder has its own two database URLs and its own keyring, and nothing of another service or of its database's owner.
 */
await runProgram(async () => {
  const settings = readEnvironment('deploy-secrets');
  const { AMANA_STATE_DIR: folder, AMANA_DATABASE_HOST: host, AMANA_DB_PREFIX: prefix } = settings;
  const { postgresPassword, roleSecret, grafanaPassword } = await keepPrivateJson(join(folder, 'drawn.json'), Drawn, () => ({ postgresPassword: draw(), roleSecret: draw(), grafanaPassword: draw() }));
  await chmod(folder, 0o700);
  const adminUrl = `postgres://postgres:${postgresPassword}@${host}/postgres`;
  const compose: Record<string, string> = { AMANA_POSTGRES_PASSWORD: postgresPassword, AMANA_ROLE_SECRET: roleSecret, AMANA_GRAFANA_PASSWORD: grafanaPassword };
  for (const service of ServiceName.options) {
    const { appUrl, relayUrl } = urlsOf({ adminUrl, service, roleSecret, prefix });
    compose[`AMANA_${service.toUpperCase()}_DATABASE_URL`] = appUrl;
    compose[`AMANA_${service.toUpperCase()}_RELAY_DATABASE_URL`] = relayUrl;
    await writeSecrets(join(folder, service), { AMANA_DATABASE_URL: appUrl, AMANA_RELAY_DATABASE_URL: relayUrl });
    await openLocalKeyring(join(folder, service, 'keyring.json'));
  }
  await writeSecrets(join(folder, 'migrate'), { AMANA_ADMIN_DATABASE_URL: adminUrl, AMANA_ROLE_SECRET: roleSecret });
  await writeSecrets(folder, { 'compose.env': Object.entries(compose).map(([name, value]) => `${name}=${value}\n`).join('') });
  console.log(`The secrets are in ${folder}: keep that folder as you keep a key.`);
});

/** One file per secret, readable by its owner alone. */
async function writeSecrets(folder: string, secrets: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, value] of Object.entries(secrets)) {
    const path = join(folder, name);
    // A file that is there already would keep the rights it has.
    await rm(path, { force: true });
    await writeFile(path, value, { mode: 0o600, flag: 'wx' });
  }
}

import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runProgram } from './entry-point.ts';
import { ClientKeyFile, clientKeyPath, tokenForClient } from './credentials.ts';
import { readJsonFile } from './json-file.ts';

const usage = 'node infra/local/dist/token.js <client_id> [scope]';

/** Prints one access token for a partner system of the sandbox, from its key file in AMANA_STATE_DIR. */
await runProgram(async () => {
  const [clientId, ...scopes] = process.argv.slice(2);
  const stateDir = process.env.AMANA_STATE_DIR || resolve('.amana/sandbox');
  const known = await clientIds(stateDir);
  if (clientId === undefined) throw new Error(`${usage}\nThe partner systems: ${known.join(', ')}.`);
  // Only a listed name becomes a path: `../credentials` is nobody's name.
  if (!known.includes(clientId)) throw new Error(`No partner system is called "${clientId}". There are: ${known.join(', ')}.`);
  const { privateJwk, tokenUrl } = await readJsonFile(clientKeyPath(stateDir, clientId), ClientKeyFile);
  const scope = scopes.join(' ');
  const issued = await tokenForClient({ tokenUrl, clientId, privateJwk, ...(scope ? { scope } : {}) }).catch((error: unknown) => {
    // The fetch of an address where nobody listens ends in a TypeError that says so only in its cause.
    if (error instanceof TypeError) throw new Error(`No issuer answers at ${tokenUrl}: is the network running?`, { cause: error });
    throw error;
  });
  process.stdout.write(`${issued.accessToken}\n`);
});

async function clientIds(stateDir: string): Promise<string[]> {
  const folder = join(stateDir, 'clients');
  const names = await readdir(folder).catch(() => []);
  const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)).sort();
  if (ids.length === 0) throw new Error(`There are no key files in ${folder}: start the network first, or name its state folder by AMANA_STATE_DIR.`);
  return ids;
}

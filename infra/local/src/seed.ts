import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ClientKeyFile, clientKeyPath, TokenSource } from './credentials.ts';
import { directoryImportOf, readDirectoryFile } from './directory-file.ts';
import { readJsonFile } from './json-file.ts';
import { networkDir } from './stack.ts';

/** The partner system that may list organisations: the network's coordinator. */
const coordinator = 'coordination-system';

/** Lists the network's organisations and services over HTTP, as its coordinator would. The same file again changes nothing. */
export async function seedDirectory(network: { readonly url: string; readonly options: { readonly stateDir: string } }, options: { startsAt?: Date } = {}): Promise<{ organisations: number; services: number }> {
  const file = join(networkDir, 'organisations.hsds.json');
  const body = directoryImportOf(await readDirectoryFile(file, options.startsAt));
  const text = JSON.stringify(body);
  const key = await readJsonFile(clientKeyPath(network.options.stateDir, coordinator), ClientKeyFile);
  const token = await TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId: key.client_id, privateJwk: key.privateJwk }).token();
  const response = await fetch(`${network.url}/v1/referral/directory-imports`, {
    method: 'POST', body: text,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `directory-${createHash('sha256').update(text).digest('hex').slice(0, 32)}` },
  });
  if (!response.ok) throw new Error(`The directory was refused (${response.status}): ${await response.text()}`);
  return await response.json() as { organisations: number; services: number };
}

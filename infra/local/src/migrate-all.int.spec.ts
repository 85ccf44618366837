import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { throwawayServer, type ThrowawayServer } from '@amana/testing';
import { startPostgres } from './postgres.ts';

const dist = resolve(import.meta.dirname, '../dist');
let server: ThrowawayServer;
let secrets: string;

beforeAll(async () => {
  server = await throwawayServer(async (stateDir) => {
    secrets = join(stateDir, 'secrets');
    return await startPostgres({ stateDir, durable: false });
  });
  await run('deploy-secrets', { AMANA_STATE_DIR: secrets, AMANA_DATABASE_HOST: new URL(server.adminUrl).host });
}, 60_000);

afterAll(() => server.stop());

/** Runs a program as the image would: by its name, through the one entry point. */
async function run(program: string, env: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(dist, 'container-main.js'), program, ...args], { env: { PATH: process.env.PATH, ...env } });
  return stdout;
}

async function migrate(service: string): Promise<string> {
  const roleSecret = await readFile(join(secrets, 'migrate', 'AMANA_ROLE_SECRET'), 'utf8');
  return await run('migrate', { AMANA_ADMIN_DATABASE_URL: server.adminUrl, AMANA_ROLE_SECRET: roleSecret }, '--service', service);
}

async function as<T>(urlFile: string, work: (client: pg.Client) => Promise<T>, database?: string): Promise<T> {
  const url = new URL(await readFile(join(secrets, urlFile), 'utf8'));
  if (database) url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('the secrets of a deployment and the databases they open', () => {
  it('refuse to prepare a service that does not exist', async () => {
    await expect(run('migrate', { AMANA_ADMIN_DATABASE_URL: server.adminUrl, AMANA_ROLE_SECRET: 'x'.repeat(43) }, '--service', 'pharmacy')).rejects.toThrow(/There is no service "pharmacy"/);
  });

  it('give each service a folder that only its owner may read, with nothing in it but its own', async () => {
    const folder = join(secrets, 'audit');
    expect((await readdir(folder)).sort()).toEqual(['AMANA_DATABASE_URL', 'AMANA_RELAY_DATABASE_URL', 'keyring.json']);
    const modes = await Promise.all([secrets, folder, join(folder, 'AMANA_DATABASE_URL'), join(folder, 'keyring.json')].map(async (path) => (await stat(path)).mode & 0o077));
    expect(modes).toEqual([0, 0, 0, 0]);
  });

  it('stay the same when they are drawn again', async () => {
    const before = await readFile(join(secrets, 'compose.env'), 'utf8');
    await run('deploy-secrets', { AMANA_STATE_DIR: secrets, AMANA_DATABASE_HOST: new URL(server.adminUrl).host });
    expect(await readFile(join(secrets, 'compose.env'), 'utf8')).toBe(before);
  });

  it('let a service serve from its migrated database, and neither change its tables nor enter another\'s', async () => {
    for (const service of ['audit', 'audit', 'health']) expect(await migrate(service)).toContain(`${service}: the database is ready`);
    await as('audit/AMANA_DATABASE_URL', async (client) => {
      expect((await client.query<{ count: string }>('SELECT count(*) FROM event')).rows).toEqual([{ count: '0' }]);
      await expect(client.query('CREATE TABLE extra (id int)')).rejects.toMatchObject({ code: '42501' });
      await expect(client.query('DELETE FROM event')).rejects.toMatchObject({ code: '42501' });
    });
    await as('audit/AMANA_RELAY_DATABASE_URL', async (client) => {
      await expect(client.query('SELECT * FROM event')).rejects.toMatchObject({ code: '42501' });
      expect((await client.query('SELECT * FROM published_event')).rows).toEqual([]);
    });
    await expect(as('health/AMANA_DATABASE_URL', (client) => client.query('SELECT 1'), 'amana_audit')).rejects.toMatchObject({ code: '42501' });
  });
});

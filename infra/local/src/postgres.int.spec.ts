import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findProcess } from './engine-process.ts';
import { close, listen } from './loopback.ts';
import type { Postgres } from './postgres.ts';
import { startPostgres } from './postgres.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'amana-postgres-'));
let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres({ stateDir });
}, 60_000);

afterAll(async () => {
  await postgres.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

async function query<T extends object>(text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${limitMs} ms`);
    await delay(20);
  }
}

describe('the embedded PostgreSQL', () => {
  it('refuses a wrong password and keeps the right one from other accounts', async () => {
    const wrong = new pg.Client({ connectionString: postgres.url.replace(/:[^:@]+@/, ':wrong@') });
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(join(stateDir, 'postgres.password')).mode & 0o077).toBe(0);
  });

  it('refuses a second server on the same data while the first one runs', async () => {
    await expect(startPostgres({ stateDir })).rejects.toThrow(/already runs/);
    expect(await query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('listens on loopback only and on no socket, takes 400 connections and sorts by code point', async () => {
    const [settings] = await query<Record<string, string>>(
      `select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as socket,
              current_setting('max_connections') as connections, current_setting('fsync') as fsync,
              (select datlocprovider from pg_database where datname = 'postgres') as provider`,
    );
    expect(settings).toEqual({ listen: '127.0.0.1', socket: '', connections: '400', fsync: 'on', provider: 'b' });
  });

  it('writes no column value into its log when a statement fails', async () => {
    await query('create table secret (word text primary key)');
    await query(`insert into secret values ('planted-word')`);
    await expect(query(`insert into secret values ('planted-word')`)).rejects.toMatchObject({ code: '23505' });
    const log = readFileSync(join(stateDir, 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('planted-word');
  });

  it('keeps committed rows over SIGKILL and restart, at the same URL', async () => {
    const [url, pid] = [postgres.url, postgres.pid];
    await query('create table kept (n int)');
    await query('insert into kept values (7)');
    await postgres.kill();
    expect(findProcess(pid)).toBeUndefined();
    await postgres.restart();
    expect(postgres.url).toBe(url);
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  }, 60_000);

  it('comes back at its own port although somebody else held it for a moment', async () => {
    await postgres.kill();
    const squatter = createServer();
    await listen(squatter, postgres.port, '127.0.0.1');
    const tried = statSync(join(stateDir, 'postgres.log')).size;
    const back = postgres.restart();
    await until(() => readFileSync(join(stateDir, 'postgres.log'), 'utf8').slice(tried).includes('could not bind'), 10_000);
    await close(squatter);
    await back;
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  }, 60_000);

  it('starts although postmaster.pid names a living stranger', async () => {
    await postgres.kill();
    const file = join(stateDir, 'postgres', 'postmaster.pid');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [String(process.ppid), ...lines.slice(1)].join('\n'));
    await postgres.restart();
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  }, 60_000);

  it('leaves no process behind after stop, and finds its data again', async () => {
    const pid = postgres.pid;
    await postgres.stop();
    await postgres.stop();
    expect(findProcess(pid)).toBeUndefined();
    postgres = await startPostgres({ stateDir });
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  }, 60_000);

  it('takes over from a Node process that was killed without stopping it', async () => {
    await postgres.stop();
    const program = `
      const { startPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))});
      console.log((await startPostgres({ stateDir: ${JSON.stringify(stateDir)} })).pid);
      setInterval(() => undefined, 1000);`;
    // Without setpriv in PATH the kernel does not end the server along with its Node.
    const bare = execFileSync('readlink', ['-f', process.execPath], { encoding: 'utf8' }).trim();
    const child = spawn(bare, ['--input-type=module', '--eval', program], { env: { PATH: '' }, stdio: ['ignore', 'pipe', 'inherit'] });
    const orphan = await new Promise<number>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(findProcess(orphan)).toBeDefined();
    postgres = await startPostgres({ stateDir });
    await until(() => findProcess(orphan) === undefined, 5_000);
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  }, 60_000);
});

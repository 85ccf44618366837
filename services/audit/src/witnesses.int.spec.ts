import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkpointText, keyIdOf, noteText, verifierKeyText } from '@amana/ledger';
import { inTransaction, openPool } from '@amana/persistence';
import type { LocalKeyring } from '@amana/privacy';
import type { Log } from '@amana/service';
import { entryEvent, eventually, OneEngine, type RunningWitness, startWitness, TestLog } from '@amana/testing';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { AuditService } from './audit.module.ts';
import { Ledger } from './ledger.ts';
import { keep } from './reactions/on-audit-entry.ts';
import { Sequencer } from './sequencer.ts';
import { Witnesses } from './witnesses.ts';

const house = new OneEngine(AuditService, { startPostgres });
const state = mkdtempSync(join(tmpdir(), 'amana-witness-'));
const running: RunningWitness[] = [];
const servers: Server[] = [];
let ledger: Ledger;
let logKey: string;
let keyring: LocalKeyring;

beforeAll(async () => {
  const { database, ...parts } = await house.start();
  ({ keyring } = parts);
  ledger = new Ledger(database, { provider: keyring });
  logKey = verifierKeyText(await ledger.verifierKey(await ledger.origin()));
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((witness) => witness.end()));
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); })));
  await house.stop();
  rmSync(state, { recursive: true, force: true });
});

async function arrive(count: number): Promise<void> {
  await inTransaction(house.database.bus, [], (tx) => { tx.write(...Array.from({ length: count }, () => keep(entryEvent()))); });
}

async function grow(count: number): Promise<void> {
  await arrive(count);
  await ledger.sequence();
}

/** A partner's witness, as it is named in the settings. */
async function witnessNamed(name: string): Promise<string> {
  const witness = await startWitness({ logKey, name, stateDir: join(state, name) });
  running.push(witness);
  return `${witness.url} ${witness.key}`;
}

/** Somebody at a witness's place who answers everything with this. */
async function startLiar(status: number, text: string): Promise<string> {
  const server = createServer((_request, response) => { response.writeHead(status).end(text); }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { key } = new TestLog([], 'witness.example/liar');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port} ${verifierKeyText({ ...key, kind: 4 })}`;
}

/** Somebody who takes every question and answers none. */
async function startSilent(): Promise<string> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port} ${verifierKeyText({ ...new TestLog([], 'witness.example/silent').key, kind: 4 })}`;
}

function sequencerWith(...witnesses: string[]): { sequencer: Sequencer; told: string[] } {
  const told: string[] = [];
  return { told, sequencer: new Sequencer(ledger, witnessesOf(...witnesses), { logger: { error: (code: string) => { told.push(code); } } } as unknown as Log) };
}

const witnessesOf = (...witnesses: string[]): Witnesses => new Witnesses(ledger, house.database, { witnesses });
const signatures = async (): Promise<string[]> => (await house.rows<{ size: string; witness: string }>('SELECT size, witness FROM ledger_cosignature ORDER BY size, witness')).map(({ size, witness }) => `${size} ${witness}`);

/** What a restored backup does to a database, which only its owner can. */
async function restore(size: number): Promise<void> {
  const owner = openPool(house.ownerUrl, 1);
  for (const table of ['ledger_head', 'ledger_entry', 'ledger_checkpoint', 'ledger_tile', 'ledger_cosignature']) await owner.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  await owner.query(`DELETE FROM ledger_cosignature WHERE size > ${size}; DELETE FROM ledger_checkpoint WHERE size > ${size}; DELETE FROM ledger_entry WHERE idx >= ${size}; UPDATE ledger_head SET size = ${size};
    UPDATE ledger_tile SET width = ${size}, hashes = substring(hashes FOR ${size} * 32) WHERE level = 0 AND idx = 0`);
  for (const table of ['ledger_head', 'ledger_entry', 'ledger_checkpoint', 'ledger_tile', 'ledger_cosignature']) await owner.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  await owner.end();
}

describe('a ledger with witnesses', () => {
  it('takes no signature from whoever only stands at a witness\'s place, and is not stopped by what they show', async () => {
    await grow(20);
    const stranger = new TestLog(Array.from({ length: 50 }, (_, index) => Buffer.from(String(index))), await ledger.origin());
    const [{ note }] = [(await ledger.newest())!];
    for (const liar of [
      await startLiar(200, await stranger.noteAt(50)), await startLiar(200, note.replace('\n20\n', '\n21\n')), await startLiar(409, '999999\n'), await startLiar(409, 'no number\n'), await startLiar(200, 'x'.repeat(100_000)),
      await startLiar(500, ''), await startLiar(200, `\u2014 witness.example/liar ${Buffer.alloc(76).toString('base64')}\n`),
    ]) {
      expect([await witnessesOf(liar).collect(), await witnessesOf(liar).contradiction()]).toEqual([0, undefined]);
    }
    expect(await signatures()).toEqual([]);
  });

  it('has each checkpoint signed by those who are there, from wherever each of them stands', async () => {
    const [one, two] = [await witnessNamed('one'), await witnessNamed('two')];
    expect(await witnessesOf(one).collect()).toBe(1);
    await grow(7);
    const away = `http://127.0.0.1:1 ${two.split(' ')[1]!}`;
    expect(await witnessesOf(one, two, away).collect()).toBe(2);
    expect(await witnessesOf(one, two).collect()).toBe(2);
    expect(await signatures()).toEqual(['20 witness.example/one', '27 witness.example/one', '27 witness.example/two']);
    expect(await witnessesOf(one, two).contradiction()).toBeUndefined();
  });

  it('refuses to sign below what a witness shows, after a restored backup and after another history', async () => {
    const honest = await witnessNamed('honest');
    await grow(13);
    expect(await witnessesOf(honest).collect()).toBe(1);
    await restore(27);
    // The process that comes up on the backup remembers nothing.
    ledger = new Ledger(house.database, { provider: keyring });
    expect(await witnessesOf(honest).contradiction()).toBe('shrunk');
    await grow(30);
    expect(await witnessesOf(honest).contradiction()).toBe('forked');
    expect(await witnessesOf(honest).collect()).toBe(0);
    expect(await witnessesOf().contradiction()).toBeUndefined();

    await arrive(3);
    const waiting = async (): Promise<number> => (await house.rows('SELECT FROM ledger_pending')).length;
    const { sequencer, told } = sequencerWith(honest);
    try {
      await sequencer.onStart();
      await eventually(() => Promise.resolve(told.length > 0), { what: 'the refusal' });
    } finally {
      await sequencer.onModuleDestroy();
    }
    expect([told, await waiting()]).toEqual([['ledger-refuses-to-sign'], 3]);
  });

  it('goes on beside a witness that never answers, and has itself signed once an hour, however many of it run', async () => {
    const [silent, there] = [await startSilent(), await witnessNamed('hourly')];
    const both = [sequencerWith(silent, there), sequencerWith(silent, there)];
    await arrive(5);
    await house.rows('UPDATE ledger_cosignature SET at = at - interval \'2 hours\'');
    try {
      for (const { sequencer } of both) await sequencer.onStart();
      await eventually(async () => (await house.rows('SELECT FROM ledger_pending')).length === 0, { what: 'their places' });
      await eventually(async () => (await signatures()).some((line) => line.endsWith('/hourly')), { what: 'a signature' });
    } finally {
      await Promise.all(both.map(({ sequencer }) => sequencer.onModuleDestroy()));
    }
    expect(await witnessesOf(there).due(3_600_000)).toBe(false);
    expect(await witnessesOf(there).due(0)).toBe(true);
  }, 60_000);

  it('counts as contradicted by a checkpoint with its own signature only', async () => {
    const key = await ledger.verifierKey(await ledger.origin());
    const text = checkpointText({ origin: key.name, size: 1_000, root: Buffer.alloc(32) });
    const forged = noteText({ text, signatures: [{ name: key.name, keyId: keyIdOf(key), signature: Buffer.alloc(64) }] });
    expect(await witnessesOf(await startLiar(200, forged)).contradiction()).toBeUndefined();
  });
});

import { randomUUID, verify, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { hashBytes, hashLeaf, keyIdOf, type NoteKey, readCheckpointText, readNote, type ReadTile, readVerifierKey, TileTree, verifyConsistency, verifyInclusion } from '@amana/ledger';
import { inTransaction, openPool } from '@amana/persistence';
import { entryEvent, OneEngine } from '@amana/testing';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { AuditService } from './audit.module.ts';
import { Ledger } from './ledger.ts';
import { keep } from './reactions/on-audit-entry.ts';
import { LedgerReads } from './reads/ledger-reads.ts';

const house = new OneEngine(AuditService, { startPostgres });
const { ask } = house;
const auditor = { role: 'auditor', scopes: ['audit:read'] } as const;
let reads: LedgerReads;
let ledger: Ledger;
let failing: Ledger;

beforeAll(async () => {
  const { database, keyring, looks } = await house.start();
  ledger = new Ledger(database, { provider: keyring });
  reads = new LedgerReads(looks, ledger);
  failing = new Ledger(database, { provider: { ...keyring, sign: () => Promise.reject(new Error('the key is away')), publicKey: (purpose: string) => keyring.publicKey(purpose) } });
}, 60_000);
afterAll(() => house.stop());

/** So many entries, as they come over the bus. */
async function arrive(count: number): Promise<void> {
  await inTransaction(house.database.bus, [], (tx) => { tx.write(...Array.from({ length: count }, () => keep(entryEvent()))); });
}

async function drain(by: readonly Ledger[] = [ledger]): Promise<void> {
  while (await ledger.waits()) await Promise.all(by.map((one) => one.sequence()));
}

const places = async (): Promise<number[]> => (await house.rows<{ idx: string }>('SELECT idx FROM ledger_entry ORDER BY idx')).map(({ idx }) => Number(idx));
const bodies = async (): Promise<Buffer[]> => (await house.rows<{ body: Buffer }>('SELECT body FROM ledger_entry JOIN audit_entry USING (received) ORDER BY idx')).map(({ body }) => body);
const notes = async (): Promise<string[]> => (await house.rows<{ note: string }>('SELECT note FROM ledger_checkpoint ORDER BY size')).map(({ note }) => note);
const readTile: ReadTile = async ({ level, index }) => (await house.rows<{ hashes: Buffer }>(`SELECT hashes FROM ledger_tile WHERE level = ${level} AND idx = ${index}`))[0]!.hashes;

/** The checkpoint of a note that its key has signed. */
function verified(text: string, key: NoteKey) {
  const note = readNote(text)!;
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.publicKey).toString('base64url') }, format: 'jwk' });
  const [signature] = note.signatures;
  expect([signature!.name, signature!.keyId, verify(null, Buffer.from(note.text), publicKey, signature!.signature)]).toEqual([key.name, keyIdOf(key), true]);
  return readCheckpointText(note.text)!;
}

describe('the ledger', () => {
  it('has neither checkpoint nor tile nor proof before there is an entry', async () => {
    await expect(ask(reads, 'checkpoint', auditor)).rejects.toMatchObject({ code: 'not-found' });
    await expect(ask(reads, 'tile', { ...auditor, params: { level: '0', index: '0' } })).rejects.toMatchObject({ code: 'not-found' });
    await expect(ask(reads, 'proof', { ...auditor, params: { entryId: randomUUID() } })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('gives no place and signs nothing when the key is away; the entries go on waiting', async () => {
    await arrive(3);
    await expect(failing.sequence()).rejects.toThrow('the key is away');
    expect([await places(), await notes(), await ledger.waits()]).toEqual([[], [], true]);
    await drain();
    expect(await places()).toEqual([0, 1, 2]);
  });

  it('gives each entry one place without a gap, whoever sequences and whatever fails between', async () => {
    const writers = (async () => { for (let turn = 0; turn < 12; turn += 1) await arrive(turn % 2 === 0 ? 1 : 217); })();
    for (let turn = 0; turn < 12; turn += 1) await Promise.allSettled([ledger.sequence(), failing.sequence(), ledger.sequence()]);
    await writers;
    await drain([ledger, ledger]);
    const found = await places();
    expect(found).toEqual(Array.from({ length: 3 + 6 + 6 * 217 }, (_, index) => index));
  });

  it('takes at most a thousand at a time, and keeps the order in which they came', async () => {
    await arrive(1_100);
    expect([await ledger.sequence(), await ledger.sequence(), await ledger.sequence()]).toEqual([1_000, 100, 0]);
    const received = await house.rows<{ received: string }>('SELECT received FROM ledger_entry ORDER BY idx');
    expect(received.map((row) => Number(row.received)).slice(-1_100)).toEqual(received.map((row) => Number(row.received)).slice(-1_100).sort((a, b) => a - b));
  });

  it('signs trees that hold every entry\'s exact bytes, each one the beginning of the next', async () => {
    const [leaves, signed] = [(await bodies()).map(hashLeaf), await notes()];
    const tree = new TileTree(leaves.length, readTile);
    const key = await ledger.verifierKey(readCheckpointText(readNote(signed[0]!)!.text)!.origin);
    const checkpoints = signed.map((note) => verified(note, key));
    const last = checkpoints.at(-1)!;
    expect(last.size).toBe(leaves.length);
    for (const { size, root } of checkpoints) {
      expect(verifyConsistency({ oldSize: size, newSize: last.size, oldRoot: root, newRoot: last.root, proof: await tree.consistency(size) })).toBe(true);
    }
    for (let index = 0; index < leaves.length; index += 97) {
      expect(verifyInclusion({ index, size: last.size, leafHash: leaves[index]!, proof: await tree.inclusion(index), root: last.root })).toBe(true);
    }
  });

  it('hands an auditor an entry\'s bytes with the proof, on record under the entry\'s tag; and hashes to whoever verifies', async () => {
    await arrive(1);
    const waiting = (await house.rows<{ event_id: string }>('SELECT event_id FROM audit_entry JOIN ledger_pending USING (received)'))[0]!.event_id;
    await expect(ask(reads, 'proof', { ...auditor, params: { entryId: waiting } })).rejects.toMatchObject({ code: 'not-found' });
    await drain();
    const { index, leaf, size, proof, note } = await ask(reads, 'proof', { ...auditor, params: { entryId: waiting } });
    const { key } = await ask(reads, 'checkpoint', auditor);
    const { root } = verified(note, readVerifierKey(key)!);
    expect(verifyInclusion({ index, size, leafHash: hashLeaf(Buffer.from(leaf, 'base64')), proof: proof.map((hash) => Buffer.from(hash, 'base64')), root })).toBe(true);
    expect((await house.leavesOf()).filter(({ object }) => object.id === 'BBBBBBBBBBBBBBBBBBBBBB').map(({ action, outcome }) => [action, outcome])).toEqual([['audit.read', 'shown']]);
    const { width, hashes } = await ask(reads, 'tile', { ...auditor, params: { level: '0', index: '0' } });
    expect([width, hashes]).toEqual([256, Buffer.concat((await bodies()).slice(0, 256).map(hashLeaf)).toString('base64')]);
    for (const [level, place] of [['0', '1e1'], ['0', '00'], ['64', '0'], ['0', '-1'], ['0', '99999999999999999']]) expect(() => ask(reads, 'tile', { ...auditor, params: { level: level!, index: place! } })).toThrow(Refusal);
  });

  it('signs nothing over a log that was changed behind its back, whoever could', async () => {
    await arrive(2);
    const owner = openPool(house.ownerUrl, 1);
    const behindItsBack = async (change: string): Promise<void> => {
      for (const table of ['ledger_head', 'ledger_tile']) await owner.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      await owner.query(change);
      for (const table of ['ledger_head', 'ledger_tile']) await owner.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
    };
    const before = await notes();
    const [{ size }] = await house.rows<{ size: string }>('SELECT size FROM ledger_head') as [{ size: string }];
    const swap = 'UPDATE ledger_tile SET hashes = substring(hashes FROM 33 FOR 32) || substring(hashes FOR 32) || substring(hashes FROM 65) WHERE level = 0 AND idx = (SELECT max(idx) FROM ledger_tile WHERE level = 0)';
    await behindItsBack(swap);
    await expect(ledger.sequence()).rejects.toMatchObject({ code: 'other-root' });
    await behindItsBack(swap);
    await behindItsBack('UPDATE ledger_head SET size = 0');
    await expect(ledger.sequence()).rejects.toMatchObject({ code: 'shrunk' });
    expect(await notes()).toEqual(before);
    await behindItsBack(`UPDATE ledger_head SET size = ${size}`);
    await owner.end();
    expect(await ledger.sequence()).toBe(2);
  });

  it('leaves the work to whoever is at it', async () => {
    await arrive(1);
    await inTransaction(house.database.app, [{ name: 'spec-hold', text: 'SELECT FROM ledger_head FOR UPDATE', values: [] }], async () => { expect(await ledger.sequence()).toBe(0); });
    expect(await ledger.sequence()).toBe(1);
  });

  it('loses no entry of a writer that knows nothing of the ledger', async () => {
    await house.rows(`INSERT INTO audit_entry (event_id, producer, key, tag, correlation, at, actor_tag, actor_org, actor_role, own_doing, action, object_type, object_id, decision, outcome, look, request_id, body)
      SELECT gen_random_uuid(), producer, key, tag, correlation, at, actor_tag, actor_org, actor_role, own_doing, action, object_type, object_id, decision, outcome, look, request_id, body FROM audit_entry LIMIT 1`);
    expect(await ledger.sequence()).toBe(1);
    await expect(house.rows('DELETE FROM audit_entry')).rejects.toMatchObject({ code: '23001' });
  });

  it('is changed by no statement of the serving role: no entry, no checkpoint, no hash of a tile, no other size', async () => {
    for (const change of [
      'UPDATE ledger_entry SET received = received + 1', 'DELETE FROM ledger_entry', 'UPDATE ledger_checkpoint SET note = \'\'', 'DELETE FROM ledger_checkpoint',
      'UPDATE ledger_head SET size = size - 1', 'UPDATE ledger_head SET size = size + 1', 'DELETE FROM ledger_head', 'DELETE FROM ledger_tile', 'UPDATE ledger_tile SET hashes = sha256(hashes) || substring(hashes FROM 33)',
      `UPDATE ledger_tile SET width = width - 1, hashes = substring(hashes FOR (width - 1) * ${hashBytes}) WHERE width > 1`,
      `UPDATE ledger_tile SET width = width + 1, hashes = decode(repeat('00', ${hashBytes}), 'hex') || hashes WHERE width < 256`,
    ]) await expect(house.rows(change)).rejects.toMatchObject({ code: '23001' });
  });
});

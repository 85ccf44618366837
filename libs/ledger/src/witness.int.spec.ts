import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { keyIdOf, readNote, readVerifierKey } from './index.ts';
import { type RunningWitness, startWitness, TestLog, witnessProgram } from '@amana/testing';

const entries = Array.from({ length: 900 }, (_, index) => Buffer.from(`entry ${index}`));
const log = new TestLog(entries);
/** The same name, key and first 300 entries; then another history. */
const fork = new TestLog(entries.map((entry, index) => (index === 300 ? Buffer.from('forged') : entry)), log.origin, log);

describe('a witness', () => {
  let state: string;
  let running: RunningWitness[] = [];

  beforeAll(() => { state = mkdtempSync(join(tmpdir(), 'amana-witness-')); });
  afterAll(() => rmSync(state, { recursive: true, force: true }));
  afterEach(async () => {
    await Promise.all(running.map((witness) => witness.end('SIGKILL')));
    running = [];
  });

  async function start(name: string): Promise<RunningWitness> {
    const witness = await startWitness({ logKey: log.keyText, name, stateDir: join(state, name) });
    running.push(witness);
    return witness;
  }

  async function send({ url }: RunningWitness, body: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
    return { status: answer.status, text: await answer.text() };
  }

  /** What a log sends to be signed at `size`, when the witness has seen `old` entries of it. */
  async function request(of: TestLog, old: number, size: number): Promise<string> {
    const proof = old === 0 ? [] : await (await of.treeAt(size)).consistency(old);
    return [`old ${old}`, ...proof.map((hash) => hash.toString('base64')), '', await of.noteAt(size)].join('\n');
  }

  it('signs nothing for another log, for another key of that name, or for what is no request', async () => {
    const witness = await start('refusing');
    expect((await send(witness, await request(new TestLog(entries, 'amana/ledger-else'), 0, 5))).status).toBe(404);
    expect((await send(witness, await request(new TestLog(entries, log.origin), 0, 5))).status).toBe(403);
    const good = await request(log, 0, 5);
    for (const body of ['', 'old 0', good.replace('old 0', 'old 00'), good.replace('old 0', 'old -1'), good.replace('old 0\n', 'old 0\nAAAA\n'), good.replace('\n\n', '\n'), good.replace('old 0', 'old 6')]) {
      expect([body.slice(0, 12), (await send(witness, body)).status]).toEqual([body.slice(0, 12), 400]);
    }
    expect((await send(witness, 'x'.repeat(70_000))).status).toBe(413);
    expect((await fetch(`${witness.url}/checkpoint`)).status).toBe(404);
  });

  it('signs with its own key and the time, and shows what it signed last', async () => {
    const witness = await start('signing');
    const { status, text } = await send(witness, await request(log, 0, 300));
    expect(status).toBe(200);
    const note = await log.noteAt(300);
    const [{ name, keyId, signature }] = readNote(`${note.slice(0, note.lastIndexOf('\n\n') + 2)}${text}`)!.signatures as [{ name: string; keyId: number; signature: Buffer }];
    const key = readVerifierKey(witness.key)!;
    expect([name, keyId]).toEqual(['witness.example/signing', keyIdOf(key)]);
    const time = signature.readBigUInt64BE(0);
    const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${readNote(note)!.text}`);
    expect(verify(null, signed, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.publicKey).toString('base64url') }, format: 'jwk' }), signature.subarray(8))).toBe(true);
    expect(await (await fetch(`${witness.url}/checkpoint`)).text()).toBe(note);
  });

  it('tells its size to a log that is mistaken about it, and refuses a proof that does not hold', async () => {
    const witness = await start('strict');
    expect((await send(witness, await request(log, 0, 301))).status).toBe(200);
    expect(await send(witness, await request(log, 0, 500))).toEqual({ status: 409, text: '301\n' });
    expect((await send(witness, (await request(log, 301, 500)).replace(/\n[A-Za-z0-9+/]/, (first) => (first === '\nA' ? '\nB' : '\nA')))).status).toBe(422);
    expect((await send(witness, (await request(log, 301, 500)).replace(/\n[^\n]+\n/, '\n'))).status).toBe(422);
    for (const [old, size] of [[301, 512], [512, 512], [512, 513], [513, 899], [899, 900]] as const) expect([old, (await send(witness, await request(log, old, size))).status]).toEqual([old, 200]);
  });

  it('never signs two histories: not after a kill, not at the same size, not when both come at once', async () => {
    const first = await start('loyal');
    expect((await send(first, await request(log, 0, 300))).status).toBe(200);
    const both = await Promise.all([send(first, await request(log, 300, 600)), send(first, await request(fork, 300, 600))]);
    const [winner, loser] = both[0].status === 200 ? [log, fork] : [fork, log];
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    await first.end('SIGKILL');
    const again = await start('loyal');
    expect(again.key).toBe(first.key);
    expect(await send(again, await request(loser, 300, 600))).toEqual({ status: 409, text: '600\n' });
    expect((await send(again, ['old 600', '', await loser.noteAt(600)].join('\n'))).status).toBe(409);
    expect((await send(again, await request(loser, 600, 900))).status).toBe(422);
    expect((await send(again, await request(winner, 600, 900))).status).toBe(200);
  });

  it('runs once on a folder, and not for what is no key of a log', async () => {
    await start('single');
    for (const [name, key] of [['single', log.keyText], ['wrong', log.keyText.replace(/\+[0-9a-f]{8}\+/, '+00000000+')]] as const) {
      const child = spawn(process.execPath, [witnessProgram, '--log', key, '--name', `witness.example/${name}`, '--state', join(state, name), '--port', '0'], { stdio: 'ignore' });
      expect((await once(child, 'exit'))[0]).toBe(2);
    }
  });
});

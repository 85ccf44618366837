import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientKeyPath, seedDirectory, Stack } from '@amana/local';

const playWithinMs = 30_000;

interface Told { readonly sender: { referralId: string; status: string; consented: string[]; handedOver: object }; readonly clinic: { referralId: string; status: string; profile: string[]; disclosed: string[] } }
interface Read { readonly acts: string[]; readonly looks: string[]; readonly tagged: number[]; readonly unknown: string[]; readonly entries: object[] }

describe('Two stranger programs, given a base URL and a key file each', () => {
  let stateDir: string;
  let stack: Stack;
  let told: Told;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-strangers-'));
    stack = await Stack.start({ stateDir, bus: 'postgres', replicas: 0, durable: false, logLevel: 'error' });
    await seedDirectory(stack, { startsAt: new Date() });
  }, 120_000);

  afterAll(async () => {
    await stack?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** Runs one program to its end; it knows nothing of this process but its arguments and what it is given to read. */
  async function run(program: string, clientId: string, given = ''): Promise<unknown> {
    // A node that cannot read types runs what was built of them.
    const file = process.features.typescript ? join(import.meta.dirname, `${program}.ts`) : join(import.meta.dirname, '../../dist/strangers', `${program}.js`);
    const child = spawn(process.execPath, ['--no-warnings', file, '--base-url', stack.url, '--key-file', clientKeyPath(stateDir, clientId)], { env: { PATH: process.env.PATH }, timeout: playWithinMs });
    child.stdin.end(given);
    const ended = new Promise<number | null>((resolve, reject) => { child.once('error', reject).once('close', resolve); });
    const [output, complaint, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${complaint}`);
    return JSON.parse(output);
  }

  it('share no line with the product', () => {
    for (const file of ['api.ts', 'auditor.ts', 'clinic.ts', 'json-schema.ts', 'sender.ts', 'tokens.ts']) {
      const imports = [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from]) => from!);
      expect(imports.filter((from) => !/^(node:|\.\/|jose$)/.test(from))).toEqual([]);
    }
  });

  it('send a person to a clinic, see her there, and close the loop', async () => {
    const [clinic, sender] = await Promise.all([run('clinic', 'clinic-system'), run('sender', 'souss-system')]);
    told = { sender, clinic } as Told;
    expect(told.sender.status).toBe('closed');
    expect(told.clinic).toMatchObject({ referralId: told.sender.referralId, status: 'completed' });
    expect(told.clinic.disclosed.toSorted()).toEqual(told.sender.consented.toSorted());
    expect(told.clinic.profile.toSorted()).toEqual(['accessibility', 'ageBand', 'dependantsCount', 'languages', 'serviceId', 'sex', 'urgency']);
  }, playWithinMs);

  it('leave a history that a third one reads: each act and look, and no name', async () => {
    const read = await run('auditor', 'audit-system', JSON.stringify(told.sender.handedOver)) as Read;
    const inOrder = ['referral.draft', 'referral.submit', 'referral.acknowledge', 'referral.accept', 'appointment.book', 'appointment.record', 'consultation.record', 'referral.complete', 'referral.close-loop'];
    expect(read.acts.filter((action) => inOrder.includes(action))).toEqual(inOrder);
    expect(read.looks).toEqual(expect.arrayContaining(['disclosure.profile', 'disclosure.read', 'medical.read']));
    expect(read.tagged.every((count) => count > 0)).toBe(true);
    expect(read.unknown).toEqual([]);
    expect(JSON.stringify(read.entries)).not.toMatch(/Verlaine|Tazmurt|600000441|bakery|burn on the hand/);
  }, playWithinMs);
});

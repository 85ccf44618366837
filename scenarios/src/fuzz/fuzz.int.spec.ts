import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ServiceName } from '@amana/contracts';
import { seedDirectory, Stack } from '@amana/local';
import fc from 'fast-check';
import { addressOf } from './addresses.ts';
import { type Attempt, fittingAttempts, refused } from './attempts.ts';
import { type Operation, readOperations } from './document.ts';
import { Exchange, faultsOf } from './exchange.ts';
import { type Ground, prepare } from './ground.ts';
import { differences, Snapshots } from './snapshot.ts';

/** What was drawn once is drawn again; another seed looks elsewhere, and more runs look longer. */
const seed = Number(process.env.AMANA_FUZZ_SEED ?? 20261124);
const scale = Number(process.env.AMANA_FUZZ_SCALE ?? 1);
const runs = { refused: 36 * scale, open: 8 * scale, fitting: 10 * scale };
const withinMs = 120_000 * scale;

describe('Every route of every served document', () => {
  let stateDir: string;
  let stack: Stack;
  let ground: Ground;
  let snapshots: Snapshots;
  let exchange: Exchange;
  let operations: Operation[];

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-fuzz-'));
    stack = await Stack.start({ stateDir, bus: 'postgres', replicas: 0, durable: false, logLevel: 'silent' });
    await seedDirectory(stack, { startsAt: new Date() });
    ground = await prepare(stack);
    snapshots = new Snapshots(stack.urls);
    exchange = new Exchange(stack.url, snapshots);
    operations = await readOperations(stack.url);
  }, 180_000);

  afterAll(async () => {
    exchange?.close();
    await snapshots?.close();
    await ground?.stop();
    await stack?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** Tries an operation in so many ways; answers what was wrong, and how often it was not refused. */
  async function attempt(operation: Operation, attempts: fc.Arbitrary<Attempt>, numRuns: number): Promise<{ complaint: string | undefined; taken: number }> {
    const address = addressOf(operation, ground);
    const ownSeed = seed + operations.indexOf(operation);
    let taken = 0;
    const property = fc.asyncProperty(attempts, async (attempted) => {
      const reply = await exchange.send(operation, address, attempted);
      if (reply.status < 300) taken += 1;
      const faults = faultsOf(operation, attempted, reply);
      if (faults.length > 0) throw new Error(`${attempted.kind}: ${faults.join('; ')}\n${operation.method} ${attempted.path.slice(0, 300)}\n${String(attempted.body ?? '').slice(0, 600)}\n-> ${reply.status} ${reply.text.slice(0, 600)}`);
    });
    // What is not refused changes what it is tried on: nothing is tried again to make the example smaller.
    const found = await fc.check(property, { seed: ownSeed, numRuns, endOnFailure: true });
    return { taken, complaint: found.failed ? `${operation.name} (seed ${seed}, run ${found.numRuns}): ${found.errorInstance instanceof Error ? found.errorInstance.message : 'failed'}` : undefined };
  }

  it.each(ServiceName.options)('refuses what is wrong, says where, and changes no row: %s', async (service) => {
    const complaints: string[] = [];
    let before = await snapshots.settled();
    for (const operation of operations.filter((candidate) => candidate.service === service)) {
      const { complaint } = await attempt(operation, refused(operation, addressOf(operation, ground), ground), operation.isPublic ? runs.open : runs.refused);
      if (complaint) complaints.push(complaint);
      if (!operation.changes) continue;
      const after = await snapshots.settled();
      const changed = differences(before, after);
      if (changed.length > 0) complaints.push(`${operation.name}: rows have changed in ${changed.join(', ')}`);
      before = after;
    }
    expect(complaints).toEqual([]);
  }, withinMs);

  it('is watched closely enough that one change is seen', async () => {
    const before = await snapshots.settled();
    const operation = operations.find(({ method, template }) => method === 'POST' && template.endsWith('/cases/{caseId}/needs'))!;
    await attempt(operation, fittingAttempts(operation, addressOf(operation, ground), ground), 1);
    const changed = differences(before, await snapshots.settled()).map((difference) => difference.split(' ')[0]);
    expect(changed).toEqual(expect.arrayContaining(['intake.event', 'intake.idempotency', 'intake.sealed']));
  }, withinMs);

  it('takes what its document allows or refuses it by a code, and a refusal changes no row', async () => {
    const complaints: string[] = [];
    const led: string[] = [];
    let before: ReadonlyMap<string, string> | undefined;
    for (const operation of operations.filter(({ isPublic }) => !isPublic).toSorted((one, other) => rankOf(one) - rankOf(other))) {
      before ??= await snapshots.settled();
      const { complaint, taken } = await attempt(operation, fittingAttempts(operation, addressOf(operation, ground), ground), operation.bodySchema ? runs.fitting : 2);
      if (complaint) complaints.push(complaint);
      if (operation.changes && taken > 0) led.push(operation.name);
      if (!operation.changes && taken === 0) continue;
      const changed = taken === 0 ? differences(before, await snapshots.settled()) : [];
      if (changed.length > 0) complaints.push(`${operation.name}: rows have changed in ${changed.join(', ')}`);
      if (taken > 0) before = undefined;
    }
    expect(complaints).toEqual([]);
    // Otherwise the bodies have lost their way: they would no longer reach a decision.
    expect(led.length).toBeGreaterThan(20);
  }, withinMs);

  it('answers as a problem even what no document names', async () => {
    const [operation] = operations.filter(({ isPublic }) => !isPublic);
    const paths = ['/', '/v1', '/v1/', '/v1/nothing', '/v1/intake', '/v1/INTAKE/health/live', '/v1/openapi.json/x', '/v1//intake', '/%', '/%00', '/v1/intake/%ff', '/sandbox/clock/x', `/${'a'.repeat(8_000)}`, '/v1/referral/health/metrics', '/v1/intake?x=%zz'];
    const complaints: string[] = [];
    for (const path of paths) {
      for (const headers of [{}, { expect: 'the-unexpected' }, { 'x-odd': 'y'.repeat(20_000) }]) {
        const attempted: Attempt = { kind: 'odd path', path, caller: undefined, headers, ifMatch: undefined, expected: { statuses: [400, 404, 413, 414, 417, 431] } };
        const reply = await exchange.send(operation!, addressOf(operation!, ground), attempted);
        complaints.push(...faultsOf(operation!, attempted, reply).map((fault) => `${path.slice(0, 60)} ${Object.keys(headers).join()}: ${fault} (${reply.status})`));
      }
    }
    expect(complaints).toEqual([]);
  }, withinMs);
});

/** What ends something is tried last: until then there is something to try on. But the webhook goes first: its messages take their time. */
function rankOf({ method, template }: Operation): number {
  if (/\/(deliveries|webhooks)\//.test(template)) return method === 'DELETE' ? -1 : -2;
  if (/\/(directory-imports|webhooks)$/.test(template) && method === 'POST') return 3;
  if (method === 'DELETE' || /\/(stay-end|release|decline|failure|cancellation|closure|withdrawal|conflicts)$/.test(template)) return 2;
  return /\/(acceptance|start|attendance|outcome|stay|completion)$/.test(template) ? 1 : 0;
}

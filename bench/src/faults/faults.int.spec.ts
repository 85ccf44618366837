import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeKafka } from '@amana/local';
import { Campaign, type RunResult } from './campaign.ts';
import { plants } from './plants/plants.ts';

const seed = 20_261_124;
/** Two free cores need a quarter of it; a busy machine kills just as well, only slower. */
const timeoutMs = 300_000;

describeKafka('the fault campaign', () => {
  let campaign: Campaign;
  let last: RunResult;

  beforeAll(async () => {
    campaign = await Campaign.start({ bus: 'kafka', lengthMs: 5_000, recoverWithinMs: 150_000, keep: false, onProgress: () => undefined });
  }, timeoutMs);

  afterAll(async () => { await campaign?.stop(); }, timeoutMs);

  it.each([0, 1])('finds nothing lost, doubled, out of order or held twice after kills of services, broker and database, run %i', async (run) => {
    last = await campaign.play({ run, seed: seed + run });
    expect(last.violations).toEqual([]);
    expect(last.acknowledged).toBeGreaterThan(20);
  }, timeoutMs);

  // One after the other on the same network: each finds what was not there before.
  it.each(plants.map((plant) => [plant.name, plant] as const))('catches the planted bug %s by the same checker', async (_name, plant) => {
    const caught = (result: RunResult): boolean => result.violations.some(({ check }) => plant.caughtBy.includes(check));
    expect(caught(last)).toBe(false);
    await plant.install(campaign.network);
    last = await campaign.play({ run: 2 + plants.indexOf(plant), seed: seed + 2 + plants.indexOf(plant), plant, gentle: true });
    expect(caught(last)).toBe(true);
  }, timeoutMs);
});

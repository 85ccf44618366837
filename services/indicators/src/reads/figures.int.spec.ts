import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Indicator } from '@amana/contracts';
import { inTransaction } from '@amana/persistence';
import { OneEngine, refusalOf } from '@amana/testing';
import { startPostgres } from '../../../../infra/local/src/postgres.ts';
import { IndicatorsService } from '../indicators.module.ts';
import { keepFact } from '../reactions/on-counted.ts';
import { NetworkFigures } from './network-figures.ts';
import { PublicFigures } from './public-figures.ts';

const house = new OneEngine(IndicatorsService, { startPostgres });
const { ask } = house;
const coordinator = { role: 'coordinator', scopes: ['report:read'] } as const;
let network: NetworkFigures;
let everybody: PublicFigures;

beforeAll(async () => {
  const { looks, clock } = await house.start();
  [network, everybody] = [new NetworkFigures(looks, clock), new PublicFigures(looks, clock)];
}, 60_000);
afterAll(() => house.stop());
beforeEach(() => house.rows('DELETE FROM counting_fact; DELETE FROM released_range'));

/** A person counted in a month: one fact for each pair of dimensions, as the owner of the case publishes them. */
async function counted(month: string, times: number, person: { sex?: string; ageBand?: string; region?: string; indicator?: Indicator } = {}): Promise<void> {
  const { indicator = 'identified', sex = 'female', ageBand = '25-34', region = 'MA-09' } = person;
  const pairs = [{ sex, ageBand }, { sex, region }, { ageBand, region }];
  await inTransaction(house.database.bus, [], (tx) => {
    for (let time = 0; time < times; time += 1) tx.write(...pairs.map((dimensions) => keepFact({ countingId: randomUUID(), indicator, month, dimensions })));
  });
}

const figures = async (from: string, to: string, by?: string) => (await ask(network, 'range', { ...coordinator, query: { from, to, ...(by ? { by } : {}) } })).figures;
const identified = async (from: string, to: string, by?: string) => (await figures(from, to, by)).identified!;
const ofMonth = (month: string) => ask(everybody, 'month', { ...coordinator, query: { month } });
const published = async (month: string) => (await ofMonth(month)).figures;

describe('figures for everybody', () => {
  it('are not told of a month that still runs', async () => {
    expect(await refusalOf(published('2999-01'))).toBe('not-found');
    expect(await refusalOf(ofMonth('January'))).toBe('validation-failed');
  });

  it('show one person as they show nobody', async () => {
    await counted('2023-03', 1);
    expect(await published('2023-03')).toEqual({ identified: '<11', sheltered: '<11', consulted: '<11' });
    expect(await published('2023-04')).toEqual({ identified: '<11', sheltered: '<11', consulted: '<11' });
  });

  it('count a person once, though she gives a fact for each pair of dimensions', async () => {
    await counted('2023-03', 12);
    expect((await published('2023-03')).identified).toBe(12);
  });
});

describe('figures for the network', () => {
  it('are refused for a month that still runs, for a range turned round or too long, and for a dimension named twice', async () => {
    expect(await refusalOf(figures('2023-01', '2999-01'))).toBe('validation-failed');
    expect(await refusalOf(figures('2023-02', '2023-01'))).toBe('validation-failed');
    expect(await refusalOf(figures('2001-01', '2023-01'))).toBe('validation-failed');
    expect(await refusalOf(figures('2023-01', '2023-02', 'sex,sex'))).toBe('validation-failed');
    expect(await refusalOf(figures('2023-01', '2023-02', 'site'))).toBe('validation-failed');
  });

  it('are exact over the whole story: thirty-nine stay thirty-nine', async () => {
    for (let month = 1; month <= 12; month += 1) await counted(`2023-${String(month).padStart(2, '0')}`, month <= 3 ? 4 : 3);
    await counted('2023-06', 17, { indicator: 'sheltered' });
    expect(await figures('2022-10', '2023-12')).toMatchObject({ identified: { total: 39 }, sheltered: { total: 17 }, consulted: { total: 'suppressed' } });
  });

  it('do not let two ranges be subtracted from each other', async () => {
    await counted('2023-01', 6);
    await counted('2023-02', 2);
    expect((await identified('2023-01', '2023-02')).total).toBe(8);
    expect((await identified('2023-01', '2023-01')).total).toBe('suppressed');
    expect((await identified('2023-01', '2023-02')).total).toBe(8);
  });

  it('do not let a month that everybody may read be subtracted', async () => {
    await counted('2023-01', 12);
    await counted('2023-02', 2);
    expect((await identified('2023-01', '2023-02')).total).toBe('suppressed');
  });

  it('do not let two requests at once learn what neither may alone', async () => {
    await counted('2023-01', 6);
    await counted('2023-02', 2);
    for (let round = 0; round < 5; round += 1) {
      await house.rows('DELETE FROM released_range');
      const totals = await Promise.all([identified('2023-01', '2023-02'), identified('2023-01', '2023-01'), identified('2023-01', '2023-02'), identified('2023-01', '2023-01')]);
      expect(new Set(totals.map(({ total }) => total).filter((total) => total !== 'suppressed')).size).toBe(1);
    }
  });

  it('are broken down by two dimensions at most, small cells and what would tell them withheld', async () => {
    await counted('2023-01', 20);
    await counted('2023-01', 9, { ageBand: '18-24' });
    await counted('2023-01', 2, { sex: 'male' });
    const { total, cells } = await identified('2023-01', '2023-01', 'ageBand,sex');
    expect(total).toBe(31);
    const at = (sex: string | undefined, ageBand: string | undefined) => cells!.find((cell) => cell.sex === sex && cell.ageBand === ageBand)!.count;
    expect(at('male', '25-34')).toBe('suppressed');
    expect(at('male', undefined)).toBe('suppressed');
    // With one other count withheld beside it, nothing tells how many are missing.
    expect(at('female', undefined)).toBe('suppressed');
    expect(at('female', '25-34')).toBe('suppressed');
  });

  it('are not broken down a second time over months that overlap', async () => {
    await counted('2023-01', 20);
    await counted('2023-02', 20);
    expect((await identified('2023-01', '2023-01', 'sex')).cells).toBeDefined();
    expect(await identified('2023-01', '2023-02', 'sex')).toEqual({ total: 40 });
    expect((await identified('2023-02', '2023-02', 'region')).cells).toBeDefined();
  });

  it('leave a record of who looked', async () => {
    const before = await house.leavesOf();
    await figures('2023-01', '2023-01');
    expect(await house.leavesOf()).toHaveLength(before.length + 1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { currentMonth, isOver, monthNumber, pairFor, pairOf, totalsPair, valueOf } from './counting.ts';

describe('the month that may be told', () => {
  it('is not the one that still runs, nor one to come', () => {
    const now = new Date('2023-12-15T12:00:00.000Z');
    expect(isOver('2023-12', now)).toBe(false);
    expect(isOver('2024-01', now)).toBe(false);
  });

  it('ends at midnight in Casablanca, which is an hour before that in UTC', () => {
    expect(isOver('2023-12', new Date('2023-12-31T22:59:59.000Z'))).toBe(false);
    expect(isOver('2023-12', new Date('2023-12-31T23:00:00.000Z'))).toBe(true);
  });

  it('ends an hour later in the month of Ramadan, when the clocks go back', () => {
    expect(currentMonth(new Date('2023-03-31T23:30:00.000Z'))).toBe('2023-03');
    expect(currentMonth(new Date('2023-04-30T23:30:00.000Z'))).toBe('2023-05');
  });

  it('follows December into the next year', () => expect(monthNumber('2024-01') - monthNumber('2023-12')).toBe(1));
});

describe('a counting fact', () => {
  it('is known by its pair, in whatever order its dimensions came', () => {
    expect(pairOf({ ageBand: '18-24', sex: 'female' })).toBe(totalsPair);
    expect(pairOf({ region: 'MA-09', sex: 'female' })).toBe('sex+region');
  });

  it('is looked up in the one pair that totals are counted from, where that pair holds the question', () => {
    expect(pairFor(['sex'])).toBe(totalsPair);
    expect(pairFor(['ageBand'])).toBe(totalsPair);
    expect(pairFor(['region'])).toBe('sex+region');
    expect(pairFor(['region', 'ageBand'])).toBe('ageBand+region');
  });

  it('stands among the others when its value is one that the network does not list', () => {
    expect(valueOf('region', { dimensions: { region: 'FR-75' }, count: 1 })).toBe('other');
    expect(valueOf('region', { dimensions: { region: 'MA-09' }, count: 1 })).toBe('MA-09');
    expect(valueOf('ageBand', { dimensions: {}, count: 1 })).toBe('unknown');
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { publicFigure } from './public-figures.ts';

describe('a figure for everybody', () => {
  it('does not tell nobody from a few', () => {
    for (let count = 0; count < 11; count += 1) expect(publicFigure(count)).toBe('<11');
  });

  it('is exact from eleven on: thirty-nine stays thirty-nine', () => {
    expect(publicFigure(39)).toBe(39);
    fc.assert(fc.property(fc.integer({ min: 11, max: 100_000 }), (count) => publicFigure(count) === count), { seed: 39, numRuns: 100 });
  });
});

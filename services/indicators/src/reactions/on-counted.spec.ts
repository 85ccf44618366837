import { describe, expect, it } from '@jest/globals';
import { keepFact } from './on-counted.ts';

describe('a counting fact that arrives', () => {
  const fact = { countingId: '0b2f6f0e-7d0b-4a53-9f0f-0d7b8a7f3c11', indicator: 'identified' as const, month: '2023-03', dimensions: { ageBand: '18-24', sex: 'female' } };

  it('does not count twice when it comes twice', () => {
    expect(keepFact(fact).text).toContain('ON CONFLICT (counting_id) DO NOTHING');
  });

  it('is kept under its pair of dimensions', () => {
    expect(keepFact(fact).values.slice(0, 4)).toEqual([fact.countingId, 'identified', '2023-03', 'sex+ageBand']);
  });
});

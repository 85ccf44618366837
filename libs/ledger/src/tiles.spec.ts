import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashBytes, hashLeaf, hashNode, splitOf, verifyConsistency, verifyInclusion } from './merkle.ts';
import { grow, type ReadTile, tilePath, tilesOf, TileTree, tileWidth } from './tiles.ts';

const leaves = Array.from({ length: 70_000 }, (_, index) => hashLeaf(Buffer.from(String(index))));

/** RFC 6962, section 2.1, word for word: what the tiles must agree with. */
function rootOf(from: number, to: number): Buffer {
  if (to - from === 1) return leaves[from]!;
  const middle = from + splitOf(to - from);
  return hashNode(rootOf(from, middle), rootOf(middle, to));
}

/** A log that grew to `size` in uneven steps. */
async function grown(size: number): Promise<TileTree> {
  const tiles = new Map<string, Buffer>();
  const read: ReadTile = ({ level, index }) => Promise.resolve(tiles.get(`${level}/${index}`) ?? Buffer.alloc(0));
  for (let at = 0; at < size;) {
    const next = Math.min(size, at + 1 + (at * 7) % 613);
    for (const { level, index, hashes } of await grow(at, leaves.slice(at, next), read)) tiles.set(`${level}/${index}`, hashes);
    at = next;
  }
  const written = [...tiles].map(([place, hashes]) => [place, hashes.length / hashBytes]).sort();
  expect(written).toEqual(tilesOf(size).map(({ level, index, width }) => [`${level}/${index}`, width]).sort());
  return new TileTree(size, read);
}

describe('a log in tiles', () => {
  it('names each tile by the path of the specification', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 3, width: 17 })).toBe('tile/entries/003.p/17');
    expect([0, 999, 1_000].map((index) => tilePath({ level: 1, index, width: 256 }))).toEqual(['tile/1/000', 'tile/1/999', 'tile/1/x001/000']);
  });

  it('consists, at 70,000 entries, of the tiles that the specification counts', () => {
    const tiles = tilesOf(70_000);
    const count = (level: number, full: boolean): number => tiles.filter((tile) => tile.level === level && (tile.width === tileWidth) === full).length;
    expect([count(0, true), count(1, true)]).toEqual([273, 1]);
    expect(tiles.filter(({ width }) => width < tileWidth)).toEqual([{ level: 0, index: 273, width: 112 }, { level: 1, index: 1, width: 17 }, { level: 2, index: 0, width: 1 }]);
  });

  it('has the root that the definition gives, at every size that it ever had', async () => {
    const tree = await grown(1_500);
    for (const size of [1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_499, 1_500]) expect((await tree.rootAt(size)).equals(rootOf(0, size))).toBe(true);
    await expect(tree.rootAt(1_501)).rejects.toThrow(RangeError);
  });

  it('proves each entry and each earlier size, and a proof of one is none of another', async () => {
    const size = 66_500;
    const tree = await grown(size);
    const root = await tree.rootAt();
    await fc.assert(fc.asyncProperty(fc.nat(size - 1), fc.integer({ min: 1, max: size }), async (index, oldSize) => {
      const inclusion = { index, size, leafHash: leaves[index]!, proof: await tree.inclusion(index), root };
      expect(verifyInclusion(inclusion)).toBe(true);
      expect(verifyInclusion({ ...inclusion, index: (index + 1) % size })).toBe(false);
      const consistency = { oldSize, newSize: size, oldRoot: await tree.rootAt(oldSize), newRoot: root, proof: await tree.consistency(oldSize) };
      expect(verifyConsistency(consistency)).toBe(true);
      expect(verifyConsistency({ ...consistency, oldRoot: leaves[index]! })).toBe(oldSize === index + 1 && oldSize === 1);
    }), { seed: 9_162, numRuns: 40 });
  });

  it('says so when a tile is cut short, instead of computing a root from what is left', async () => {
    const tree = new TileTree(300, ({ width }) => Promise.resolve(Buffer.alloc((width - 1) * hashBytes)));
    await expect(tree.rootAt()).rejects.toThrow(/too short/);
  });
});

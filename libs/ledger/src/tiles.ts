import { hashBytes, hashNode, splitOf } from './merkle.ts';

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256;
const tileHeight = 8;

/** A stretch of neighbouring hashes at one height: level 0 holds leaf hashes, each further level the roots of full tiles below. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes; less than 256 at the right edge of the tree only. */
  readonly width: number;
}

/** Reads a tile's hashes, one after the other; a wider one than asked for begins with the same bytes. */
export type ReadTile = (tile: Tile) => Promise<Uint8Array>;

/** `tile/<level>/<index>[.p/<width>]`, the index in groups of three digits; `entries` in place of the level for a bundle. */
export function tilePath({ level, index, width }: Omit<Tile, 'level'> & { level: number | 'entries' }): string {
  const groups = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0').match(/\d{3}/g)!;
  const place = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${place}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** Every tile of a log of `size` entries, level by level: what an export of it consists of. */
export function tilesOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let [level, count] = [0, size]; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    for (let index = 0; index * tileWidth < count; index += 1) tiles.push({ level, index, width: Math.min(tileWidth, count - index * tileWidth) });
  }
  return tiles;
}

export interface WrittenTile extends Tile {
  readonly hashes: Buffer;
}

/**
 * The tiles that are new or wider once `leafHashes` follow a log of `size` entries. Reads the partial tiles of the right
 * edge only, so that a large log grows as cheaply as a small one.
 */
export async function grow(size: number, leafHashes: readonly Uint8Array[], read: ReadTile): Promise<WrittenTile[]> {
  const written: WrittenTile[] = [];
  for (let [level, count, added] = [0, size, leafHashes]; added.length > 0; level += 1, count = Math.floor(count / tileWidth)) {
    const [first, left] = [Math.floor(count / tileWidth), count % tileWidth];
    const edge = left === 0 ? [] : [(await read({ level, index: first, width: left })).subarray(0, left * hashBytes)];
    const all = Buffer.concat([...edge, ...added]);
    const full: Buffer[] = [];
    for (let index = first, start = 0; start < all.length; index += 1, start += tileWidth * hashBytes) {
      const hashes = all.subarray(start, start + tileWidth * hashBytes);
      const width = hashes.length / hashBytes;
      written.push({ level, index, width, hashes });
      if (width === tileWidth) full.push(rootOfStretch(hashes));
    }
    added = full;
  }
  return written;
}

/** The root over the hashes of a full stretch: their number is a power of two. */
export function rootOfStretch(hashes: Uint8Array): Buffer {
  let level = Array.from({ length: hashes.length / hashBytes }, (_, at) => hashes.subarray(at * hashBytes, (at + 1) * hashBytes));
  while (level.length > 1) level = Array.from({ length: level.length / 2 }, (_, at) => hashNode(level[2 * at]!, level[2 * at + 1]!));
  return Buffer.from(level[0]!);
}

/** Computes roots and proofs of a log of `size` entries from its tiles; each tile is read once at most. */
export class TileTree {
  readonly size: number;
  readonly #read: ReadTile;
  readonly #known = new Map<string, Promise<Uint8Array>>();

  constructor(size: number, read: ReadTile) {
    this.size = size;
    this.#read = read;
  }

  /** The root of the first `size` entries; `size` is at least 1 and at most that of the log. */
  async rootAt(size = this.size): Promise<Buffer> {
    this.#require(size);
    return await this.#hashOf(0, size);
  }

  /** The hashes from the entry at `index` up to the root at `size` (RFC 6962, section 2.1.1). Throws RangeError for an entry that is not there. */
  async inclusion(index: number, size = this.size): Promise<Buffer[]> {
    this.#require(size);
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError('no such entry');
    return await this.#path(index, 0, size);
  }

  /** The hashes that join the tree of `oldSize` entries with that of `newSize` (RFC 6962, section 2.1.2). Throws RangeError for a size that the log does not have. */
  async consistency(oldSize: number, newSize = this.size): Promise<Buffer[]> {
    this.#require(newSize);
    if (!Number.isSafeInteger(oldSize) || oldSize < 1 || oldSize > newSize) throw new RangeError('no such size');
    return await this.#joint(oldSize, 0, newSize, true);
  }

  #require(size: number): void {
    if (!Number.isSafeInteger(size) || size < 1 || size > this.size) throw new RangeError('no such size');
  }

  async #path(index: number, from: number, to: number): Promise<Buffer[]> {
    if (to - from === 1) return [];
    const middle = from + splitOf(to - from);
    return index < middle
      ? [...await this.#path(index, from, middle), await this.#hashOf(middle, to)]
      : [...await this.#path(index, middle, to), await this.#hashOf(from, middle)];
  }

  async #joint(oldSize: number, from: number, to: number, whole: boolean): Promise<Buffer[]> {
    if (oldSize === to) return whole ? [] : [await this.#hashOf(from, to)];
    const middle = from + splitOf(to - from);
    return oldSize <= middle
      ? [...await this.#joint(oldSize, from, middle, whole), await this.#hashOf(middle, to)]
      : [...await this.#joint(oldSize, middle, to, false), await this.#hashOf(from, middle)];
  }

  /** The root over the entries from `from` up to `to`: read where a tile holds it, computed at the right edge. */
  async #hashOf(from: number, to: number): Promise<Buffer> {
    const count = to - from;
    const height = Math.log2(count);
    if (Number.isInteger(height)) return await this.#nodeAt(height, from / count);
    const middle = from + splitOf(count);
    const [left, right] = await Promise.all([this.#hashOf(from, middle), this.#hashOf(middle, to)]);
    return hashNode(left, right);
  }

  async #nodeAt(height: number, index: number): Promise<Buffer> {
    const level = Math.floor(height / tileHeight);
    const width = 2 ** (height % tileHeight);
    const first = index * width;
    const tileIndex = Math.floor(first / tileWidth);
    const tile = await this.#tile(level, tileIndex);
    const start = (first - tileIndex * tileWidth) * hashBytes;
    return rootOfStretch(tile.subarray(start, start + width * hashBytes));
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const width = Math.min(tileWidth, Math.floor(this.size / tileWidth ** level) - index * tileWidth);
    const tile = { level, index, width };
    const path = tilePath(tile);
    const known = this.#known.get(path) ?? this.#read(tile).then((hashes) => {
      if (hashes.length < width * hashBytes) throw new RangeError(`${path} is too short`);
      return hashes;
    });
    this.#known.set(path, known);
    return known;
  }
}

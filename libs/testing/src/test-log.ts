import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkpointText, grow, hashLeaf, keyIdOf, noteText, type NoteKey, signatureKind, tilePath, tilesOf, TileTree, verifierKeyText } from '@amana/ledger';

/** A Merkle log in memory with a key of its own: for what verifies, witnesses and is meant to find a forgery. */
export class TestLog {
  readonly origin: string;
  readonly entries: readonly Buffer[];
  readonly key: NoteKey;
  readonly #privateKey: KeyObject;

  /** Another history under `likeThat`'s name and key, or a log of its own. */
  constructor(entries: readonly Buffer[], origin = 'amana/ledger-spec', likeThat?: TestLog) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.entries = entries;
    this.origin = likeThat?.origin ?? origin;
    this.#privateKey = likeThat ? likeThat.#privateKey : privateKey;
    this.key = likeThat?.key ?? { name: origin, kind: signatureKind.log, publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url') };
  }

  get keyText(): string {
    return verifierKeyText(this.key);
  }

  /** The tree as it was with so many entries. */
  async treeAt(size: number): Promise<TileTree> {
    const tiles = await this.#tilesAt(size);
    return new TileTree(size, ({ level, index }) => Promise.resolve(tiles.get(`${level}/${index}`)!));
  }

  /** The signed checkpoint of that size. */
  async noteAt(size: number): Promise<string> {
    const text = checkpointText({ origin: this.origin, size, root: await (await this.treeAt(size)).rootAt() });
    return noteText({ text, signatures: [{ name: this.origin, keyId: keyIdOf(this.key), signature: sign(null, Buffer.from(text), this.#privateKey) }] });
  }

  /** Writes it as a folder in place of what was there: checkpoint, tiles, entries. */
  async writeTo(dir: string, size = this.entries.length): Promise<void> {
    const put = (path: string, content: Uint8Array | string): void => { mkdirSync(dirname(join(dir, path)), { recursive: true }); writeFileSync(join(dir, path), content); };
    rmSync(dir, { recursive: true, force: true });
    put('checkpoint', await this.noteAt(size));
    const tiles = await this.#tilesAt(size);
    for (const tile of tilesOf(size)) {
      put(tilePath(tile), tiles.get(`${tile.level}/${tile.index}`)!);
      if (tile.level > 0) continue;
      put(tilePath({ ...tile, level: 'entries' }), Buffer.concat(this.entries.slice(tile.index * 256, tile.index * 256 + tile.width).flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 255), entry])));
    }
  }

  async #tilesAt(size: number): Promise<Map<string, Buffer>> {
    const written = await grow(0, this.entries.slice(0, size).map(hashLeaf), () => Promise.reject(new Error('A new log has no edge')));
    return new Map(written.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]));
  }
}

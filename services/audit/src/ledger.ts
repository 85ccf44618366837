import { Inject, Injectable } from '@nestjs/common';
import { checkpointOf, checkpointText, grow, hashBytes, hashLeaf, keyIdOf, noteText, type NoteKey, signatureKind, type Tile, TileTree, tileWidth, type WrittenTile } from '@amana/ledger';
import { Database, inTransaction, type Row, type Statement, type Transaction } from '@amana/persistence';
import { verifySignature } from '@amana/privacy';
import { Keys } from '@amana/service';

/** Entries in one batch, and so in one commit: more would hold up the first of them. */
const batchEntries = 1_000;
const keyPurpose = 'ledger-checkpoint';

interface Head {
  readonly size: number;
  readonly origin: string;
  readonly signed: SignedCheckpoint | undefined;
}

export interface SignedCheckpoint {
  readonly size: number;
  readonly note: string;
}

/** Thrown where the stored log is not the one that was signed: whatever comes next must not be signed over it. */
export class LedgerBroken extends Error {
  override readonly name = 'LedgerBroken';
  readonly code: 'other-root' | 'shrunk';

  constructor(code: LedgerBroken['code']) {
    super(`the stored ledger is not the signed one: ${code}`);
    this.code = code;
  }
}

/**
 * The Merkle log in the database. Each entry gets the next place without a gap, and with it, in one transaction, its
 * leaf, the tiles that change and a signed checkpoint: what is signed is what is stored.
 */
@Injectable()
export class Ledger {
  readonly #database: Database;
  readonly #keys: Keys;
  /** What this process has seen signed: a log does not become shorter under it. */
  #signedSize = 0;

  constructor(@Inject(Database) database: Database, @Inject(Keys) keys: Keys) {
    this.#database = database;
    this.#keys = keys;
  }

  /** Whether entries wait for their place. */
  async waits(): Promise<boolean> {
    const found = await this.#database.due.query({ name: 'ledger-waits', text: 'SELECT FROM ledger_pending LIMIT 1' });
    return found.rowCount !== 0;
  }

  /** Gives up to 1,000 waiting entries their places and signs the log; answers how many. 0 while somebody else is at it. */
  sequence(): Promise<number> {
    return inTransaction(this.#database.due, [lock, newestCheckpoint], async (tx, [found, checkpoints]) => {
      const [row] = found!;
      if (!row) return 0;
      const head = { size: Number(row.size), origin: row.origin as string, signed: toCheckpoint(checkpoints!) };
      const waiting = await tx.query(take);
      if (waiting.length > 0) await this.#append(tx, head, waiting);
      return waiting.length;
    });
  }

  /** How far the log has come, and its newest signed checkpoint; undefined before the first entry. */
  async newest(): Promise<SignedCheckpoint | undefined> {
    return toCheckpoint(await this.#query(newestCheckpoint));
  }

  /** Roots and proofs of the log at a size that it has had. */
  treeAt(size: number): TileTree {
    return treeFrom(size, (tile) => this.#query(tile));
  }

  /** Who the log is: the name in its checkpoints. */
  async origin(): Promise<string> {
    const [row] = await this.#query({ name: 'ledger-origin', text: 'SELECT origin FROM ledger_head', values: [] });
    return row!.origin as string;
  }

  /** The key that checkpoints of this log are verified with. */
  async verifierKey(origin: string): Promise<NoteKey> {
    const { jwk } = await this.#keys.provider.publicKey(keyPurpose);
    return { name: origin, kind: signatureKind.log, publicKey: Buffer.from(jwk.x, 'base64url') };
  }

  async #query(statement: Statement): Promise<Row[]> {
    return (await this.#database.app.query<Row>({ ...statement, values: [...statement.values] })).rows;
  }

  /** The log that a batch builds on is the one that the newest checkpoint signs with our key; an empty one has none. */
  async #requireSigned({ size, origin, signed }: Head, edges: ReadonlyMap<string, Buffer>): Promise<void> {
    if (size < this.#signedSize || (signed?.size ?? 0) !== size) throw new LedgerBroken('shrunk');
    if (!signed) return;
    const checkpoint = checkpointOf(signed.note, await this.verifierKey(origin), verifySignature);
    const root = await new TileTree(size, (tile) => Promise.resolve(edges.get(placeOf(tile))!)).rootAt();
    if (checkpoint?.size !== size || !root.equals(checkpoint.root)) throw new LedgerBroken('other-root');
  }

  async #append(tx: Transaction, head: Head, waiting: readonly Row[]): Promise<void> {
    const edges = await readEdges(tx, head.size);
    await this.#requireSigned(head, edges);
    const written = await grow(head.size, waiting.map((row) => hashLeaf(row.body as Buffer)), (tile) => Promise.resolve(edges.get(placeOf(tile))!));
    const size = head.size + waiting.length;
    const now = new Map([...edges, ...written.map((tile): [string, Buffer] => [placeOf(tile), tile.hashes])]);
    const root = await new TileTree(size, (tile) => Promise.resolve(now.get(placeOf(tile))!)).rootAt();
    const text = checkpointText({ origin: head.origin, size, root });
    const { signature } = await this.#keys.provider.sign(keyPurpose, Buffer.from(text));
    const note = noteText({ text, signatures: [{ name: head.origin, keyId: keyIdOf(await this.verifierKey(head.origin)), signature }] });
    tx.write(
      {
        name: 'ledger-place', values: [head.size, waiting.map((row) => row.received)],
        text: 'INSERT INTO ledger_entry (idx, received) SELECT $1::bigint + place - 1, received FROM unnest($2::bigint[]) WITH ORDINALITY AS w (received, place)',
      },
      keepTiles(written),
      { name: 'ledger-sign', text: 'INSERT INTO ledger_checkpoint (size, note) VALUES ($1, $2)', values: [size, note] },
      { name: 'ledger-advance', text: 'UPDATE ledger_head SET size = $1', values: [size] },
    );
    tx.afterCommit(() => { this.#signedSize = size; });
  }
}

const lock: Statement = { name: 'ledger-lock', text: 'SELECT size, origin FROM ledger_head FOR UPDATE SKIP LOCKED', values: [] };
/** Its rows are read by `toCheckpoint`. */
export const newestCheckpoint: Statement = { name: 'ledger-newest', text: 'SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1', values: [] };

export function toCheckpoint([row]: readonly Row[]): SignedCheckpoint | undefined {
  return row && { size: Number(row.size), note: row.note as string };
}

/** Reads `width` and `hashes` of a tile as it stands by now. */
export function tileAt({ level, index }: Pick<Tile, 'level' | 'index'>): Statement {
  return { name: 'ledger-tile', text: 'SELECT width, hashes FROM ledger_tile WHERE level = $1 AND idx = $2', values: [level, index] };
}

/** The tree of a size that the log has had: a tile that has grown since begins with what it was. */
export function treeFrom(size: number, query: (tile: Statement) => Promise<Row[]>): TileTree {
  return new TileTree(size, async (tile) => ((await query(tileAt(tile)))[0]!.hashes as Buffer).subarray(0, tile.width * hashBytes));
}

/** Oldest first; a place is given once, since the row that asks for it goes in the same transaction. */
const take: Statement = {
  name: 'ledger-take', values: [],
  text: `WITH taken AS (DELETE FROM ledger_pending WHERE received IN (SELECT received FROM ledger_pending ORDER BY received LIMIT ${batchEntries}) RETURNING received)
    SELECT received, body FROM taken JOIN audit_entry USING (received) ORDER BY received`,
};

/** The partial tile of each level: all that the next batch builds on. */
async function readEdges(tx: Transaction, size: number): Promise<Map<string, Buffer>> {
  const places: [level: number, index: number][] = [];
  for (let [level, count] = [0, size]; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    if (count % tileWidth !== 0) places.push([level, Math.floor(count / tileWidth)]);
  }
  const rows = await tx.query({
    name: 'ledger-edges', values: [places.map(([level]) => level), places.map(([, index]) => index)],
    text: 'SELECT level, idx, hashes FROM unnest($1::int[], $2::bigint[]) AS p (level, idx) JOIN ledger_tile USING (level, idx)',
  });
  return new Map(rows.map((row) => [placeOf({ level: row.level as number, index: Number(row.idx) }), row.hashes as Buffer]));
}

function keepTiles(tiles: readonly WrittenTile[]): Statement {
  return {
    name: 'ledger-tiles', values: [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes.length / hashBytes), tiles.map(({ hashes }) => hashes)],
    text: `INSERT INTO ledger_tile (level, idx, width, hashes) SELECT * FROM unnest($1::int[], $2::bigint[], $3::int[], $4::bytea[])
      ON CONFLICT (level, idx) DO UPDATE SET width = EXCLUDED.width, hashes = EXCLUDED.hashes`,
  };
}

function placeOf({ level, index }: Pick<Tile, 'level' | 'index'>): string {
  return `${level}/${index}`;
}

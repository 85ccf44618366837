import { type KeyProvider, open, seal, Sealed } from '@amana/privacy';
import type { Transaction } from './transaction.ts';

/** Where a sealed value stands: whose key seals it, which field it is, and which version of that field. */
export interface SealedPlace {
  /** The case, site or plan whose own data key seals it; destroying that key erases all its fields at once. */
  readonly caseId: string;
  readonly field: string;
  readonly version: number;
}

/** What describes a person or hides a place: written and read only inside a transaction, in clear only as `Sealed<T>`. */
export class SealedStore {
  readonly #keys: KeyProvider;

  constructor(keys: KeyProvider) {
    this.#keys = keys;
  }

  /** Seals a JSON value in the open transaction. The case's data key is made with its first field. */
  async put(tx: Transaction, place: SealedPlace, value: unknown): Promise<void> {
    const { dek, keyVersion } = await this.#dataKey(tx, place.caseId);
    try {
      const bytes = seal({ dek, plaintext: JSON.stringify(value), ...boundTo(place, keyVersion) });
      tx.write({
        name: 'sealed-put', values: [place.caseId, place.field, place.version, keyVersion, bytes],
        text: 'INSERT INTO sealed (case_id, field, version, key_version, bytes) VALUES ($1, $2, $3, $4, $5)',
      });
    } finally {
      dek.fill(0);
    }
  }

  /** The newest value of a field up to `version`, or undefined. Commit the look's audit entry before you reveal it. */
  async find<T>(tx: Transaction, place: SealedPlace): Promise<Sealed<T> | undefined> {
    const [row] = await tx.query<{ version: number; key_version: number; bytes: Buffer; wrapped: Buffer | null }>({
      name: 'sealed-find', values: [place.caseId, place.field, place.version],
      text: `SELECT s.version, s.key_version, s.bytes, k.wrapped FROM sealed s
        LEFT JOIN keys.case_key k ON k.case_id = s.case_id AND k.version = s.key_version AND k.destroyed_at IS NULL
        WHERE s.case_id = $1 AND s.field = $2 AND s.version <= $3 ORDER BY s.version DESC LIMIT 1`,
    });
    // No key: it was destroyed, and what it sealed is gone for good.
    if (!row?.wrapped) return undefined;
    const dek = await this.#keys.unwrap(row.wrapped, place.caseId);
    try {
      const bytes = open({ dek, sealed: row.bytes, ...boundTo({ ...place, version: row.version }, row.key_version) });
      return new Sealed(JSON.parse(bytes.toString('utf8')) as T);
    } finally {
      dek.fill(0);
    }
  }

  async #dataKey(tx: Transaction, caseId: string): Promise<{ dek: Buffer; keyVersion: number }> {
    const newest = { name: 'case-key-newest', values: [caseId], text: 'SELECT version, wrapped FROM keys.case_key WHERE case_id = $1 AND destroyed_at IS NULL ORDER BY version DESC LIMIT 1' };
    const [known] = await tx.query<{ version: number; wrapped: Buffer }>(newest);
    if (known) return { dek: await this.#keys.unwrap(known.wrapped, caseId), keyVersion: known.version };
    const { dek, wrapped } = await this.#keys.generateDek(caseId);
    const inserted = await tx.query({ name: 'case-key-add', values: [caseId, wrapped], text: 'INSERT INTO keys.case_key (case_id, version, wrapped) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING RETURNING version' });
    if (inserted.length > 0) return { dek, keyVersion: 1 };
    // Another writer made the key first: a value sealed under ours could never be opened.
    dek.fill(0);
    const [theirs] = await tx.query<{ version: number; wrapped: Buffer }>(newest);
    return { dek: await this.#keys.unwrap(theirs!.wrapped, caseId), keyVersion: theirs!.version };
  }
}

function boundTo(place: SealedPlace, keyVersion: number) {
  return { table: 'sealed', column: `${place.field}#${place.version}`, caseId: place.caseId, keyVersion, schema: 'json.v1' };
}

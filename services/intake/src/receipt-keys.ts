import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EventDefinition, intakeEvents } from '@amana/contracts';
import { Database, inTransaction, isUniqueViolation } from '@amana/persistence';
import { type Aggregate, Keys, type StartSlice, Stream, StreamEngine } from '@amana/service';
import type { z } from 'zod';

/** The purpose under which receipts are signed, as the key provider knows it. */
const signingPurpose = 'consent-receipt';

type KeyEvent = { readonly type: 'intake.receipt-key-published.v1'; readonly data: z.infer<typeof intakeEvents.ReceiptKeyPublished.data> };
interface KeyState { readonly published: boolean }

const keyAggregate: Aggregate<KeyState, KeyEvent, { kid: string }> = {
  initial: { published: false },
  evolve: () => ({ published: true }),
  name: 'receipt-key',
  events: [intakeEvents.ReceiptKeyPublished] as EventDefinition[],
  // Only the service itself publishes its keys: no caller stands in any relation to one.
  relations: () => [],
  answer: (_state, kid) => ({ kid }),
  subject: (_state, id) => ({ publicId: id }),
};

/** Publishes the key that signs receipts, once for each key, however often and on however many replicas it is tried. */
@Injectable()
export class ReceiptKeys extends Stream<KeyState, KeyEvent, { kid: string }> implements StartSlice {
  readonly #keys: Keys;
  readonly #database: Database;

  constructor(engine: StreamEngine, keys: Keys, database: Database) {
    super(engine, keyAggregate);
    this.#keys = keys;
    this.#database = database;
  }

  async onStart(): Promise<void> {
    const { kid, jwk } = await this.#keys.provider.publicKey(signingPurpose);
    const key = { kty: jwk.kty, crv: jwk.crv, x: jwk.x };
    try {
      await inTransaction(this.#database.app, [], (tx) => this.apply(tx, streamOf(kid), { action: 'receipt-key.publish' }, (state) => (
        state.published ? [] : [{ type: 'intake.receipt-key-published.v1', data: { kid, key } }]
      )));
    } catch (error) {
      // Another replica was first: the key is published, which is all that was wanted.
      if (!isUniqueViolation(error, 'event_pkey')) throw error;
    }
  }
}

/** The stream of a key is named after it, so that replicas meet in the same one. */
function streamOf(kid: string): string {
  const hex = createHash('sha256').update(`receipt-key:${kid}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

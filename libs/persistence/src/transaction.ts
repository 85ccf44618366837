import { keepTrace } from '@amana/telemetry';
import type { Pool, PoolClient, QueryResult } from 'pg';

/** A prepared statement: the same name always carries the same text, so that the server plans it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export type Row = Record<string, unknown>;

/** A statement that leaves later than it was noted, among those of other messages: it stays in its own trace. */
interface Noted extends Statement {
  readonly inTrace?: <T>(run: () => T) => T;
}

/**
 * One open transaction. `query` answers at once (one round trip); `write` only notes the statement,
 * and all noted statements travel together with the COMMIT in one further round trip.
 */
export class Transaction {
  readonly #client: PoolClient;
  #writes: Noted[] = [];
  #sent = 0;
  readonly #afterCommit: (() => void)[] = [];

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Sends what was noted, then this statement, and answers its rows. */
  async query<R extends Row = Row>(statement: Statement): Promise<R[]> {
    const results = await pipeline(this.#client, [...this.#takeWrites(), statement]);
    return results.at(-1)!.rows as R[];
  }

  /** Notes statements that need no answer before the commit. */
  write(...statements: readonly Statement[]): void {
    const inTrace = keepTrace();
    this.#writes.push(...(inTrace ? statements.map((statement) => ({ ...statement, inTrace })) : statements));
  }

  /** Sends what was noted without committing: a savepoint's work must fail inside its savepoint. */
  async flush(): Promise<void> {
    const writes = this.#takeWrites();
    if (writes.length > 0) await pipeline(this.#client, writes);
  }

  /** Runs once the transaction is durable; a poke that is lost with the process is made up for by polling. */
  afterCommit(action: () => void): void {
    this.#afterCommit.push(action);
  }

  /** A mark in the transaction to which a failed part can be taken back. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const marks = this.#afterCommit.length;
    const [noted, sent] = [this.#writes.length, this.#sent];
    this.write(plain('SAVEPOINT part'));
    try {
      const result = await work();
      this.write(plain('RELEASE SAVEPOINT part'));
      await this.flush();
      return result;
    } catch (error) {
      this.#afterCommit.length = marks;
      if (this.#sent === sent) {
        // Nothing has left since the mark, nor the mark itself: what was noted before it still stands.
        this.#writes.length = noted;
        throw error;
      }
      this.#writes = [];
      await pipeline(this.#client, [plain('ROLLBACK TO SAVEPOINT part'), plain('RELEASE SAVEPOINT part')]);
      throw error;
    }
  }

  /** For `inTransaction` alone. */
  async commit(): Promise<void> {
    const results = await pipeline(this.#client, [...this.#takeWrites(), plain('COMMIT')]);
    // A pipelined COMMIT after a failed statement is fulfilled with the tag ROLLBACK: an acknowledged write would be lost.
    if (results.at(-1)!.command !== 'COMMIT') throw new Error('The transaction was rolled back by the server');
    for (const action of this.#afterCommit) action();
  }

  #takeWrites(): Noted[] {
    const writes = this.#writes;
    this.#writes = [];
    this.#sent += 1;
    return writes;
  }
}

/**
 * Runs `work` in one READ COMMITTED transaction. BEGIN and `first` travel in one round trip, the noted writes and
 * COMMIT in another. Resolves only after the server answered COMMIT; on any error everything is rolled back.
 */
export async function inTransaction<T>(pool: Pool, first: readonly Statement[], work: (tx: Transaction, rows: Row[][]) => Promise<T> | T): Promise<T> {
  const client = await pool.connect();
  // A connection that is lost while no statement is under way has nobody else to tell: unheard, it would end the process.
  client.on('error', ignore);
  const tx = new Transaction(client);
  let broken: Error | undefined;
  try {
    const opened = await pipeline(client, [plain('BEGIN'), ...first]);
    const result = await work(tx, opened.slice(1).map((answer) => answer.rows as Row[]));
    await tx.commit();
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((reason: Error) => { broken = reason; });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

/** The next statement on the lost connection fails, and the pool drops it. */
function ignore(): void {}

/** Sends statements back to back and waits for every answer; the first failure in order is thrown. */
export async function pipeline(client: Pick<PoolClient, 'query'>, statements: readonly Noted[]): Promise<QueryResult[]> {
  const settled = await Promise.allSettled(statements.map((statement) => {
    const send = (): Promise<QueryResult> => client.query(toQuery(statement));
    return statement.inTrace ? statement.inTrace(send) : send();
  }));
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<QueryResult>).value);
}

/** A statement without parameters that is not worth preparing. */
export function plain(text: string): Statement {
  return { name: '', text, values: [] };
}

function toQuery(statement: Statement) {
  return statement.name === ''
    ? { text: statement.text }
    : { name: statement.name, text: statement.text, values: statement.values as unknown[] };
}

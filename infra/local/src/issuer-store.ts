import type { Adapter, AdapterFactory, AdapterPayload, ClientMetadata } from 'oidc-provider';
import { errors } from 'oidc-provider';

interface Row {
  readonly payload: AdapterPayload;
  readonly expiresAtMs: number;
}

/**
 * The clients it knows, for good, and where the sandbox's issuer keeps sessions, codes and used assertion ids: in memory, at most `limitPerModel`
 * rows of each kind. Tokens are not kept: they verify by the published keys, across restarts.
 * An assertion's id is taken once: a second taker is refused, also when both come at the same instant, and
 * when the store is full of live ids the newcomer is refused, since forgetting one would let it be replayed.
 */
export function createIssuerStore(clients: readonly ClientMetadata[], limitPerModel = 20_000): AdapterFactory {
  return (model) => {
    if (model === 'ReplayDetection') return new UsedIds(limitPerModel);
    const rows = new MemoryRows(limitPerModel);
    if (model === 'Client') for (const client of clients) void rows.upsert(client.client_id, client);
    return rows;
  };
}

class MemoryRows implements Adapter {
  protected readonly rows = new Map<string, Row>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    this.makeRoom();
    this.rows.set(id, { payload, expiresAtMs: expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000 });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = this.rows.get(id);
    if (!row) return undefined;
    if (row.expiresAtMs > Date.now()) return row.payload;
    this.rows.delete(id);
    return undefined;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findBy((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findBy((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const row = this.rows.get(id);
    if (row) row.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.rows.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, { payload }] of this.rows) if (payload.grantId === grantId) this.rows.delete(id);
  }

  /** Frees what has expired once the limit is reached, then, if need be, the oldest row. */
  protected makeRoom(): void {
    if (this.rows.size < this.#limit) return;
    const nowMs = Date.now();
    for (const [id, row] of this.rows) if (row.expiresAtMs <= nowMs) this.rows.delete(id);
    if (this.rows.size >= this.#limit) this.whenFull();
  }

  protected whenFull(): void {
    const oldest = this.rows.keys().next().value;
    if (oldest !== undefined) this.rows.delete(oldest);
  }

  #findBy(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    const nowMs = Date.now();
    for (const row of this.rows.values()) if (row.expiresAtMs > nowMs && matches(row.payload)) return row.payload;
    return undefined;
  }
}

class UsedIds extends MemoryRows {
  override async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    // No await between this look and the write: two requests with one assertion cannot both find it unused.
    const taken = this.rows.get(id);
    if (taken && taken.expiresAtMs > Date.now()) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
    await super.upsert(id, payload, expiresInSeconds);
  }

  protected override whenFull(): void {
    throw new errors.TemporarilyUnavailable();
  }
}

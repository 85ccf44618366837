import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { FaultNetwork, Service, Slot } from './network.ts';
import type { Seeded } from './seeded.ts';

/** One fault of a run's plan. Times count from the beginning of the load. */
export type Fault =
  | { readonly kind: 'kill-replica'; readonly atMs: number; readonly service: Service; readonly copy: number; readonly downMs: number }
  /** Nobody of the service is left: its relay, its consumers and its due rows all stand still. */
  | { readonly kind: 'kill-service'; readonly atMs: number; readonly service: Service; readonly downMs: number }
  | { readonly kind: 'kill-broker' | 'kill-postgres'; readonly atMs: number; readonly downMs: number }
  /** All of a service's database sessions end at once: the leader of its relay among them. */
  | { readonly kind: 'cut-sessions'; readonly atMs: number; readonly service: Service }
  /** Delivery forgets how far it had come since the run began, as after a restored cursor: everything is sent again. */
  | { readonly kind: 'redeliver'; readonly atMs: number; readonly service: Service };

/** With half a second between them: as long as a database may take to come up on a busy machine. */
const patientTries = 120;

const struck: readonly Service[] = ['referral', 'referral', 'referral', 'shelter', 'shelter', 'audit', 'notifications', 'intake', 'health'];
const redelivered: readonly Service[] = ['referral', 'shelter', 'intake', 'health'];

/** What will be done to the network, and when: decided by the seed alone. */
export function planFaults(rng: Seeded, options: { lengthMs: number; broker: boolean; gentle: boolean }): Fault[] {
  const { lengthMs, broker, gentle } = options;
  const at = (): number => rng.int(Math.floor(lengthMs * 0.08), Math.floor(lengthMs * 0.92));
  const plan: Fault[] = [{ kind: 'kill-postgres', atMs: at(), downMs: rng.int(0, 900) }];
  if (broker) plan.push({ kind: 'kill-broker', atMs: at(), downMs: rng.int(0, 1_800) });
  if (rng.chance(0.5)) plan.push({ kind: 'cut-sessions', atMs: at(), service: rng.pick(struck) });
  if (rng.chance(0.7)) plan.push({ kind: 'redeliver', atMs: at(), service: rng.pick(redelivered) });
  const kills = gentle ? 0 : rng.int(3, 5);
  for (let kill = 0; kill < kills; kill += 1) plan.push({ kind: 'kill-replica', atMs: at(), service: rng.pick(struck), copy: rng.int(1, 2), downMs: rng.int(0, 1_500) });
  if (!gentle && rng.chance(0.5)) plan.push({ kind: 'kill-service', atMs: at(), service: rng.pick(struck), downMs: rng.int(0, 800) });
  return plan.sort((one, other) => one.atMs - other.atMs);
}

/** Carries out a plan. Faults overlap as they fall; resolves when each is done and undone. */
export class Chaos {
  readonly #network: FaultNetwork;
  readonly #tell: (line: string) => void;
  #snapshot = '1:1:';
  #lastEndedAtMs = Date.now();

  constructor(network: FaultNetwork, tell: (line: string) => void) {
    this.#network = network;
    this.#tell = tell;
  }

  /** When the last fault ended: what was down was let start again. How long that takes counts as recovery. */
  get lastEndedAtMs(): number {
    return this.#lastEndedAtMs;
  }

  /** Remembers where delivery stands, for a redelivery later in the run. */
  async markStart(): Promise<void> {
    const rows = await this.#sql('postgres', 'SELECT pg_current_snapshot()::text AS snapshot');
    this.#snapshot = String(rows[0]!.snapshot);
  }

  async carryOut(plan: readonly Fault[]): Promise<void> {
    const startedAtMs = Date.now();
    await Promise.all(plan.map(async (fault) => {
      await delay(Math.max(0, startedAtMs + fault.atMs - Date.now()));
      this.#tell(`${(fault.atMs / 1000).toFixed(1)} s: ${nameOf(fault)}`);
      const strickenAtMs = Date.now();
      await this.#inflict(fault);
      this.#tell(`${nameOf(fault)}: undone after ${((Date.now() - strickenAtMs) / 1000).toFixed(1)} s`);
    }));
  }

  /** Sends a service's events since the run began once more, whoever leads its relay. */
  async redeliver(service: Service): Promise<void> {
    const { bus } = this.#network.stack;
    if (bus === 'kafka') {
      await this.#sql(service, 'UPDATE relay_state SET epoch = epoch + 1, snap = $1::pg_snapshot WHERE subscriber = \'relay\'', [this.#snapshot]);
      await this.#cut(service, 'relay');
      return;
    }
    for (const consumer of new Set(this.#network.slots.map((slot) => slot.service))) {
      await this.#sql(consumer, 'UPDATE relay_state SET epoch = epoch + 1, snap = $1::pg_snapshot WHERE subscriber LIKE $2', [this.#snapshot, `bus:%:${service}`]);
      await this.#cut(consumer, 'app');
    }
  }

  async #inflict(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill-replica': return await this.#killed(this.#network.slotsOf(fault.service).filter((slot) => slot.copy === fault.copy), fault.downMs);
      case 'kill-service': return await this.#killed(this.#network.slotsOf(fault.service), fault.downMs);
      case 'kill-broker': return await this.#network.bounce('broker', fault.downMs, () => this.#ended());
      case 'kill-postgres': return await this.#network.bounce('postgres', fault.downMs, () => this.#ended());
      case 'cut-sessions': return await this.#patiently(() => this.#cut(fault.service));
      case 'redeliver': return await this.#patiently(() => this.redeliver(fault.service));
    }
  }

  #ended(): void {
    this.#lastEndedAtMs = Date.now();
  }

  async #killed(slots: readonly Slot[], downMs: number): Promise<void> {
    await Promise.all(slots.map((slot) => this.#network.kill(slot)));
    await delay(downMs);
    this.#ended();
    await Promise.all(slots.map((slot) => this.#network.revive(slot)));
  }

  /** The database may be down at this moment. */
  async #patiently(act: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await act();
        return this.#ended();
      } catch (error) {
        if (tries === patientTries) throw error;
        await delay(500);
      }
    }
  }

  /** Ends the sessions of a service's roles, or of one of them. */
  async #cut(service: Service, role?: 'app' | 'relay'): Promise<void> {
    await this.#sql('postgres', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE $1', [`amana\\_${service}\\_${role ?? '%'}`]);
  }

  async #sql(database: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return await asAdmin(this.#network.stack.adminUrl, database, async (client) => (await client.query<Record<string, unknown>>(text, values)).rows);
  }
}

/** Works in a service's database as its server's administrator. */
export async function asAdmin<T>(adminUrl: string, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(adminUrl);
  if (database !== 'postgres') url.pathname = `/amana_${database}`;
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function nameOf(fault: Fault): string {
  const service = 'service' in fault ? ` ${fault.service}` : '';
  const copy = 'copy' in fault ? `-${fault.copy}` : '';
  return `${fault.kind}${service}${copy}${'downMs' in fault ? `, down ${fault.downMs} ms` : ''}`;
}

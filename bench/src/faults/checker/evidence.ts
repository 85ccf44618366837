import type { CommandEntry, InjectedEntry, JournalEntry } from '../journal.ts';
import type { DatabaseDump, Dump, IdempotencyRow, LoggedEvent } from './dump.ts';

export type CheckName =
  /** A command was acknowledged, and its event, its audit entry or its idempotency row is not there. */
  | 'lost'
  /** What was published did not reach the bus or one of its consumers. */
  | 'undelivered'
  /** The bus carries what no log has committed. */
  | 'phantom'
  /** One event or one command had its effect more than once. */
  | 'twice'
  /** Events of one key came, or took effect, in another order than they were written in. */
  | 'order'
  /** One bed was held for two at the same time. */
  | 'beds'
  /** A referral stands where nothing and nobody would ever move it on. */
  | 'unreachable'
  /** A message died that was not made to, or one that was made to did not. */
  | 'dead-letters'
  /** Something was still under way a minute after the last fault. */
  | 'not-recovered';

export interface Violation {
  readonly check: CheckName;
  /** Ids and codes: enough to find it in the databases. */
  readonly what: string;
}

export type Check = (evidence: Evidence) => Iterable<Violation>;

/** What an audit entry says, as far as it is judged here. */
export interface Leaf {
  readonly event: LoggedEvent;
  readonly action: string;
  readonly objectId: string;
  readonly version: number | undefined;
  readonly outcome: string;
  readonly permitted: boolean;
  /** A service acted on an event or a clock. */
  readonly system: boolean;
}

/** One service's dump with the ways in which it is searched. */
export class LogEvidence {
  readonly service: string;
  readonly dump: DatabaseDump;
  readonly streams: ReadonlyMap<string, readonly LoggedEvent[]>;
  readonly leaves: readonly Leaf[];
  readonly leavesByCorrelation: ReadonlyMap<string | null, readonly Leaf[]>;
  readonly #places: ReadonlySet<string>;
  readonly #keys: ReadonlyMap<string, IdempotencyRow>;

  constructor(service: string, dump: DatabaseDump) {
    this.service = service;
    this.dump = dump;
    this.streams = Map.groupBy(dump.events, (event) => event.stream);
    this.leaves = dump.events.filter(isAudit).map(readLeaf);
    this.leavesByCorrelation = Map.groupBy(this.leaves, (leaf) => leaf.event.correlation);
    this.#keys = new Map(dump.idempotency.map((row) => [`${row.client} ${row.route} ${row.key}`, row]));
    this.#places = new Set(dump.events.map((event) => `${event.stream}/${event.version}`));
  }

  has(stream: string, version: number): boolean {
    return this.#places.has(`${stream}/${version}`);
  }

  find(stream: string, version: number): LoggedEvent | undefined {
    return this.streams.get(stream)?.find((event) => event.version === version);
  }

  idempotencyRow(entry: CommandEntry): IdempotencyRow | undefined {
    return this.#keys.get(`${entry.client} ${entry.route} ${entry.idempotencyKey}`);
  }

  ofType(type: string): LoggedEvent[] {
    return this.dump.events.filter((event) => event.type === type);
  }
}

/** The whole dump, indexed once for all checks. */
export class Evidence {
  readonly dump: Dump;
  readonly logs: readonly LogEvidence[];
  /** Every committed event of every service by its id. */
  readonly events: ReadonlyMap<string, LoggedEvent>;
  readonly injected: ReadonlyMap<string, InjectedEntry>;
  readonly acknowledged: readonly CommandEntry[];

  constructor(dump: Dump) {
    this.dump = dump;
    this.logs = Object.entries(dump.databases).map(([service, database]) => new LogEvidence(service, database));
    this.events = new Map(this.logs.flatMap((log) => log.dump.events.map((event): [string, LoggedEvent] => [event.id, event])));
    this.injected = new Map(this.journal('injected').map((entry) => [entry.eventId, entry]));
    this.acknowledged = this.journal('command').filter((entry) => entry.outcome === 'acknowledged');
  }

  journal<Kind extends JournalEntry['kind']>(kind: Kind): Extract<JournalEntry, { kind: Kind }>[] {
    return this.dump.journal.filter((entry): entry is Extract<JournalEntry, { kind: Kind }> => entry.kind === kind);
  }

  log(service: string): LogEvidence {
    const found = this.logs.find((log) => log.service === service);
    if (!found) throw new Error(`The dump has no database of ${service}`);
    return found;
  }
}

export function isAudit(event: LoggedEvent): boolean {
  return event.type.endsWith('.audit-entry.v1');
}

/** A field of an event's data as text, or '' where there is none. */
export function textOf(event: LoggedEvent, field: string): string {
  const value = event.data[field];
  return typeof value === 'string' ? value : '';
}

/** Groups of more than one. */
export function* repeated<T>(items: Iterable<T>, keyOf: (item: T) => string): Generator<[string, T[]]> {
  for (const [key, group] of Map.groupBy(items, keyOf)) if (group.length > 1) yield [key, group];
}

interface LeafJson {
  readonly action: string;
  readonly actor: { readonly org: string };
  readonly object: { readonly id: string; readonly version?: number };
  readonly decision: string;
  readonly outcome: string;
}

function readLeaf(event: LoggedEvent): Leaf {
  const leaf = JSON.parse(Buffer.from(textOf(event, 'leaf'), 'base64url').toString('utf8')) as LeafJson;
  return { event, action: leaf.action, objectId: leaf.object.id, version: leaf.object.version, outcome: leaf.outcome, permitted: leaf.decision === 'permit', system: leaf.actor.org === 'system' };
}

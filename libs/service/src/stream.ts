import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Relation, relationSuffices } from '@amana/access';
import { type DomainEvent, type EventDefinition, Refusal, type ServiceName } from '@amana/contracts';
import { type Decider, replay } from '@amana/decider';
import {
  append, type Clock, type Database, type EventMeta, inTransaction, isExclusionViolation, isLockTimeout, isUniqueViolation, loadStream, type NewEvent, type Row, type Statement, type StoredEvent,
  toStoredEvent, type Transaction,
} from '@amana/persistence';
import { currentTraceparent } from '@amana/telemetry';
import type { ReceivedEvent } from '@amana/messaging';
import { type Act, etagOf } from './act.ts';
import type { AuditTrail, Subject } from './audit-trail.ts';
import type { Projection } from './define-service.ts';
import { Denied } from './denied.ts';
import { findIdempotent, rememberIdempotent, requireSameBody } from './idempotency.ts';

/** Everything a stream needs to know about one kind of aggregate. */
export interface Aggregate<State, Event extends DomainEvent, Answer> extends Decider<State, Event> {
  /** Its name in the audit: `referral`, `case`, `stay`. */
  readonly name: string;
  /** Every event it may emit, private ones too. */
  readonly events: readonly EventDefinition[];
  /** How an organisation stands to it; none means that it does not exist for them. */
  relations(state: State, organisationId: string, params: Readonly<Record<string, string>>): readonly Relation[];
  /** What a command answers and a retry is answered again. */
  answer(state: State, id: string, version: number): Answer;
  /** What the audit may say it was about. */
  subject(state: State, id: string): Omit<Subject, 'type' | 'aggregateId' | 'version'>;
  /** The bus key of an event where it is not the stream's id. */
  keyOf?(event: Event, id: string): string;
}

export interface DecisionContext {
  readonly now: Date;
  readonly tx: Transaction;
  readonly id: string;
}

export type Decision<Event> = readonly Event[] | Refusal;

/** How often a whole decision is repeated when others change the same stream: then `version-exhausted`. */
const maxDecisions = 4;
/** Two writers of one stream meet on one of these. */
const clashing = ['event_pkey', 'idempotency_pkey', 'sealed_pkey'] as const;

/** What all streams of a service share. */
@Injectable()
export class StreamEngine {
  readonly service: ServiceName;
  readonly database: Database;
  readonly clock: Clock;
  readonly trail: AuditTrail;
  readonly #projections: readonly Projection[];
  readonly #bodySecret: Buffer;
  /** Called after each commit that appended events: the relay looks at once. */
  onCommit: () => void = () => {};

  constructor(options: { service: ServiceName; database: Database; clock: Clock; trail: AuditTrail; projections: readonly Projection[]; bodySecret: Buffer }) {
    this.service = options.service;
    this.database = options.database;
    this.clock = options.clock;
    this.trail = options.trail;
    this.#projections = options.projections;
    this.#bodySecret = options.bodySecret;
  }

  /** Appends in the open transaction and brings the service's own read tables along. */
  append(tx: Transaction, events: readonly NewEvent[], meta: EventMeta): void {
    const appended = append(events, meta, this.clock.business());
    tx.write(appended.statement, ...this.project(appended.events));
    tx.afterCommit(() => this.onCommit());
  }

  /** The statements by which the read tables follow these events. */
  project(events: readonly StoredEvent[]): Statement[] {
    return events.flatMap((event) => this.#projections.flatMap((projection) => projection.on.includes(event.type) ? projection.project(event) : []));
  }

  bodyMac(fingerprint: string): Buffer {
    return createHmac('sha256', this.#bodySecret).update(fingerprint).digest();
  }

  /** Commits a denial's audit entry in a transaction of its own: whatever the act began was rolled back. */
  async recordDenial(act: Act, subject: Subject): Promise<void> {
    const entry = this.trail.entry({ actor: act, action: act.action, subject, decision: 'deny', outcome: 'denied', requestId: act.requestId });
    await inTransaction(this.database.app, [], (tx) => this.append(tx, [entry], { correlation: act.requestId, traceparent: currentTraceparent() }));
  }
}

/**
 * The one way in which something changes. A command's events, its read tables, its idempotency row and its audit entry
 * are committed together or not at all, in two round trips; the answer leaves only after the commit.
 */
export class Stream<State, Event extends DomainEvent, Answer> {
  readonly aggregate: Aggregate<State, Event, Answer>;
  protected readonly engine: StreamEngine;
  readonly #definitions: ReadonlyMap<string, EventDefinition>;

  constructor(engine: StreamEngine, aggregate: Aggregate<State, Event, Answer>) {
    this.engine = engine;
    this.aggregate = aggregate;
    this.#definitions = new Map(aggregate.events.map((definition) => [definition.type, definition]));
  }

  /**
   * Decides a request on the stream `id` and answers the aggregate as it then stands, with its ETag. Order of refusals:
   * relation (as `not-found`, audited), idempotency (a known key is answered again), If-Match, body, decision.
   */
  async commit<Body>(act: Act<Body>, id: string, decide: (state: State, body: Body, context: DecisionContext) => Decision<Event> | Promise<Decision<Event>>): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#commitOnce(act, id, decide);
      } catch (error) {
        if (isExclusionViolation(error)) throw new Refusal('no-free-bed');
        if (isLockTimeout(error)) throw new Refusal('idempotency-in-flight', { retryAfterSeconds: 1 });
        const clash = clashing.some((constraint) => isUniqueViolation(error, constraint));
        if (!clash) throw error;
        if (attempt >= maxDecisions) throw new Refusal('version-exhausted');
      }
    }
  }

  /** A new aggregate under a random id; otherwise as `commit`. */
  create<Body>(act: Act<Body>, decide: (state: State, body: Body, context: DecisionContext) => Decision<Event> | Promise<Decision<Event>>): Promise<Answer> {
    return this.commit(act, randomUUID(), decide);
  }

  /** Decides in a transaction that is already open, for a reaction or a due row. A refusal is answered, not thrown. */
  async apply(tx: Transaction, id: string, options: { cause?: ReceivedEvent | undefined; action: string; actor?: Act }, decide: (state: State, context: DecisionContext) => Decision<Event> | Promise<Decision<Event>>): Promise<Refusal | undefined> {
    const { state, version } = await this.load(tx, id);
    const decision = await decide(state, { now: this.engine.clock.business(), tx, id });
    if (decision instanceof Refusal) return decision;
    if (decision.length === 0) return undefined;
    const after = replay(this.aggregate, decision, state);
    const requestId = options.actor?.requestId ?? options.cause?.correlation ?? options.cause?.id ?? randomUUID();
    const entry = this.engine.trail.entry({
      actor: options.actor ?? { system: this.engine.service }, action: options.action, decision: 'permit', outcome: 'done', requestId,
      subject: this.#subject(after, id, version + decision.length),
    });
    this.engine.append(tx, [...this.#newEvents(decision, id, version), entry], { correlation: requestId, cause: options.cause?.id, traceparent: currentTraceparent() ?? options.cause?.traceparent });
    await tx.flush();
    return undefined;
  }

  /** The state and version of a stream, read in the open transaction; version 0 is one that does not exist. */
  async load(tx: Transaction, id: string): Promise<{ state: State; version: number }> {
    return this.#replay(await tx.query(loadStream(id)));
  }

  /** The state and version of a stream, read outside any transaction. */
  async read(id: string): Promise<{ state: State; version: number }> {
    return await inTransaction(this.engine.database.app, [loadStream(id)], (_tx, [rows]) => this.#replay(rows!));
  }

  async #commitOnce<Body>(act: Act<Body>, id: string, decide: (state: State, body: Body, context: DecisionContext) => Decision<Event> | Promise<Decision<Event>>): Promise<Answer> {
    const key = act.idempotencyKey;
    const mac = key === undefined ? undefined : this.engine.bodyMac(act.fingerprint);
    const first = key === undefined ? [loadStream(id)] : [loadStream(id), findIdempotent(act, key)];
    return await inTransaction(this.engine.database.app, first, async (tx, [rows, known]) => {
      const { state, version } = this.#replay(rows!);
      const permitted = relationSuffices(act.action, this.aggregate.relations(state, act.organisationId, act.params));
      if (!permitted) throw new Denied(act, version === 0 ? { type: this.aggregate.name, aggregateId: id } : this.#subject(state, id, version));
      if (known?.[0]) return await this.#answerAgain(act, tx, known[0], mac!);
      if (!act.route.creates) act.requireVersion(version);
      const { body } = act;
      const decision = await decide(state, body, { now: this.engine.clock.business(), tx, id });
      if (decision instanceof Refusal) throw decision;
      const after = replay(this.aggregate, decision, state);
      const newVersion = version + decision.length;
      const entry = this.engine.trail.entry({ actor: act, action: act.action, subject: this.#subject(after, id, newVersion), decision: 'permit', outcome: 'done', requestId: act.requestId });
      this.engine.append(tx, [...this.#newEvents(decision, id, version), entry], { correlation: act.requestId, traceparent: currentTraceparent() });
      if (key !== undefined) tx.write(rememberIdempotent(act, key, { mac: mac!, stream: id, version: newVersion }));
      return this.#answer(act, after, id, newVersion);
    });
  }

  /** The answer of a request that was already carried out, rebuilt from the stream as it was then. */
  async #answerAgain(act: Act, tx: Transaction, known: Row, mac: Buffer): Promise<Answer> {
    requireSameBody(known, mac);
    const stream = known.stream as string;
    const { state, version } = this.#replay(await tx.query(loadStream(stream, known.version as number)));
    return this.#answer(act, state, stream, version);
  }

  #answer(act: Act, state: State, id: string, version: number): Answer {
    act.header('etag', etagOf(version));
    return this.aggregate.answer(state, id, version);
  }

  #subject(state: State, id: string, version: number): Subject {
    return { type: this.aggregate.name, aggregateId: id, version, ...this.aggregate.subject(state, id) };
  }

  #replay(rows: readonly Row[]): { state: State; version: number } {
    // Another kind's stream under this id: as an aggregate of this kind it does not exist.
    if (rows.length > 0 && !this.#definitions.has(rows[0]!.type as string)) return { state: this.aggregate.initial, version: 0 };
    const events = rows.map((row) => { const stored = toStoredEvent(row); return { type: stored.type, data: stored.data } as Event; });
    return { state: replay(this.aggregate, events), version: rows.length };
  }

  #newEvents(decision: readonly Event[], id: string, version: number): NewEvent[] {
    return decision.map((event, index) => {
      const definition = this.#definitions.get(event.type);
      if (!definition) throw new Error(`${this.aggregate.name} does not declare the event ${event.type}`);
      return { stream: id, version: version + index + 1, definition, key: this.aggregate.keyOf?.(event, id) ?? id, data: event.data };
    });
  }
}

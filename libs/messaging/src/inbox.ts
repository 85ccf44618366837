import { setTimeout as delay } from 'node:timers/promises';
import { Refusal, topicsOf } from '@amana/contracts';
import { type DueHandler, inTransaction, isTransient, isUniqueViolation, type Pool, type Statement, type Transaction } from '@amana/persistence';
import type { OnAlarm } from './alarm.ts';
import type { RawMessage } from './cloud-event.ts';
import type { ReceivedEvent } from './codec.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import { liveKeys } from './parked-rows.ts';
import { type BackOff, Parking } from './parking.ts';

/** The effect of one event: its reads and writes go through the transaction that also holds the inbox row. */
export type EventHandler = (event: ReceivedEvent, tx: Transaction) => Promise<void>;

export interface InboxOptions {
  /** Whose inbox: the service's name, or that of one instance of it. Also the Kafka group and the dead letters' suffix. */
  readonly consumer: string;
  readonly pool: Pool;
  /** One handler per event type. */
  readonly handlers: ReadonlyMap<string, EventHandler>;
  readonly onAlarm: OnAlarm;
  /** Runs after each commit with an effect: the relay looks for the events it appended. */
  readonly onCommitted?: () => void;
  /** Stands around each handler call: the place for a trace span. */
  readonly around?: (event: ReceivedEvent, run: () => Promise<void>) => Promise<void>;
  readonly backOff?: BackOff;
}

/** Messages since the process started, by what became of them. */
export interface InboxCounts {
  handled: number;
  duplicates: number;
  /** Of a type that this consumer does not handle. */
  unhandled: number;
  parked: number;
  dead: number;
}

/** Messages in one transaction at most: a failure takes back the work of so many. */
const chunkSize = 16;
const quickTries = 3;

/**
 * Gives each event exactly one effect: inbox row, effect and new events commit together, and a message that comes again
 * finds its row. Messages of one key take effect in the order in which they are given; what cannot be handled is parked.
 */
export class Inbox {
  readonly consumer: string;
  readonly pool: Pool;
  readonly types: ReadonlySet<string>;
  readonly #handlers: ReadonlyMap<string, EventHandler>;
  readonly #options: InboxOptions;
  readonly #parking: Parking;
  readonly #counts: InboxCounts = { handled: 0, duplicates: 0, unhandled: 0, parked: 0, dead: 0 };

  constructor(options: InboxOptions) {
    this.consumer = options.consumer;
    this.pool = options.pool;
    this.types = new Set(options.handlers.keys());
    this.#handlers = options.handlers;
    this.#options = options;
    this.#parking = new Parking({
      consumer: options.consumer, types: this.types, onAlarm: options.onAlarm, backOff: options.backOff,
      handle: (event, tx) => this.#handle(event, tx), isPermanent,
    });
  }

  /** The topics that carry what is handled here. */
  get topics(): string[] {
    return topicsOf([...this.types]);
  }

  get counts(): Readonly<InboxCounts> {
    return this.#counts;
  }

  /** Handles due rows of the kind `parkedKind`; register it with the service's DueWorker. */
  readonly parkedHandler: DueHandler = async (due, tx) => {
    if (this.#options.onCommitted) tx.afterCommit(this.#options.onCommitted);
    await this.#parking.retry(due, tx);
  };

  /**
   * Resolves when every message is handled, known as a duplicate, or parked: then its offset may be committed. Rejects
   * only if the database cannot be written, with nothing lost: the same messages may be given again.
   */
  async process(messages: readonly RawMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += chunkSize) {
      const chunk = messages.slice(start, start + chunkSize);
      const concerned = chunk.flatMap((message) => readIncoming(message, this.types) ?? []);
      this.#counts.unhandled += chunk.length - concerned.length;
      if (concerned.length > 1 && await this.#allTogether(concerned)) continue;
      for (const incoming of concerned) await this.#alone(incoming);
    }
  }

  /** One transaction, a savepoint for each message. False if it has to be done one by one. */
  async #allTogether(chunk: readonly Incoming[]): Promise<boolean> {
    const tally: Outcome[] = [];
    try {
      await this.#inOne(chunk, tally, async (tx, incoming, event) => {
        try {
          await tx.attempt(() => this.#handle(event, tx));
          return 'handled';
        } catch (error) {
          if (mayPass(error)) throw error;
          return this.#parking.parkFailed(tx, incoming, error);
        }
      });
    } catch {
      return false;
    }
    this.#count(tally);
    return true;
  }

  async #alone(incoming: Incoming): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const tally: Outcome[] = [];
      try {
        await this.#inOne([incoming], tally, async (tx, _, event) => {
          await this.#handle(event, tx);
          return 'handled';
        });
        this.#count(tally);
        return;
      } catch (error) {
        if (mayPass(error) && tries < quickTries) await delay(20 + Math.random() * 230);
        else return this.#parkFailed(incoming, error);
      }
    }
  }

  /** The failed transaction is gone with its inbox row; this one says that the message waits. */
  async #parkFailed(incoming: Incoming, error: unknown): Promise<void> {
    const tally: Outcome[] = [];
    await this.#inOne([incoming], tally, (tx) => Promise.resolve(this.#parking.parkFailed(tx, incoming, error)));
    this.#count(tally);
  }

  /** Inbox rows first: an earlier owner of the partition that still works on one of these messages is waited for here. */
  async #inOne(chunk: readonly Incoming[], tally: Outcome[], work: Work): Promise<void> {
    const places = chunk.map((incoming) => ({ topic: incoming.message.topic, key: incoming.key }));
    await inTransaction(this.pool, [noteReceived(this.consumer, chunk), liveKeys(this.consumer, places)], async (tx, [inserted, live]) => {
      const fresh = new Set(inserted!.map((row) => row.event_id));
      const blocked = new Set(live!.map((row) => `${String(row.topic)}|${String(row.pkey)}`));
      for (const incoming of chunk) {
        const place = `${incoming.message.topic}|${incoming.key}`;
        const outcome = fresh.delete(incoming.eventId) ? await this.#oneOf(tx, incoming, blocked.has(place) ? undefined : work) : 'duplicates';
        if (outcome === 'parked' || outcome === 'dead') blocked.add(place);
        tally.push(outcome);
      }
      if (this.#options.onCommitted && tally.some((outcome) => outcome !== 'duplicates')) tx.afterCommit(this.#options.onCommitted);
    });
  }

  /** A message that is no duplicate; without `work`, because its key is blocked. */
  async #oneOf(tx: Transaction, incoming: Incoming, work: Work | undefined): Promise<Outcome> {
    if ('refused' in incoming) {
      this.#parking.parkDead(tx, incoming, incoming.refused);
      return 'dead';
    }
    if (work) return work(tx, incoming, incoming.event);
    this.#parking.parkBehind(tx, incoming);
    return 'parked';
  }

  async #handle(event: ReceivedEvent, tx: Transaction): Promise<void> {
    const handler = this.#handlers.get(event.type)!;
    if (this.#options.around) await this.#options.around(event, () => handler(event, tx));
    else await handler(event, tx);
  }

  #count(tally: readonly Outcome[]): void {
    for (const outcome of tally) this.#counts[outcome] += 1;
  }
}

type Outcome = 'handled' | 'duplicates' | 'parked' | 'dead';
type Work = (tx: Transaction, incoming: Incoming, event: ReceivedEvent) => Promise<Outcome>;

function noteReceived(consumer: string, chunk: readonly Incoming[]): Statement {
  const rows = chunk.map(({ eventId, message }) => ({ event_id: eventId, topic: message.topic, part: message.partition, off: message.offset }));
  return {
    name: 'inbox-note', values: [consumer, JSON.stringify(rows)],
    text: `INSERT INTO inbox (event_id, consumer, topic, part, off, outcome)
      SELECT event_id, $1, topic, part, off, 'done' FROM jsonb_to_recordset($2::jsonb) AS r (event_id uuid, topic text, part int, off bigint)
      ON CONFLICT DO NOTHING RETURNING event_id`,
  };
}

/** Lost connections, deadlocks, time-outs, and another writer of the same stream: the same work may succeed a moment later. */
function mayPass(error: unknown): boolean {
  return isTransient(error) || isUniqueViolation(error, 'event_pkey') || (error instanceof Refusal && error.code === 'version-exhausted');
}

/** Data that does not fit a contract, or a refusal that time does not change. */
function isPermanent(error: unknown): boolean {
  if (error instanceof Refusal) return error.status !== 503 && error.retryAfterSeconds === undefined && error.code !== 'version-exhausted';
  return error instanceof Error && /^\$?ZodError$/.test(error.name);
}

import type { DueRow, Transaction } from '@amana/persistence';
import { type OnAlarm, reasonOf } from './alarm.ts';
import type { ReceivedEvent } from './codec.ts';
import { deadLetterOf } from './dead-letter.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import { lockHead, markParked, park, type ParkedRow, type Place, placeOf, settleParked, wakeAt, wakeNext, wakeUnlessPlanned } from './parked-rows.ts';

/** Waits after the first, second, ... failure; the last one repeats. A message dies with failure number `attempts`. */
export interface BackOff {
  readonly waitsMs: readonly number[];
  readonly attempts: number;
}

export interface ParkingOptions {
  readonly consumer: string;
  readonly types: ReadonlySet<string>;
  readonly handle: (event: ReceivedEvent, tx: Transaction) => Promise<void>;
  /** No retry can change it. */
  readonly isPermanent: (error: unknown) => boolean;
  readonly onAlarm: OnAlarm;
  readonly backOff?: BackOff | undefined;
}

const patient: BackOff = { waitsMs: [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000], attempts: 8 };

interface Failure {
  readonly reason: string;
  readonly attempts: number;
}

/**
 * Keeps what could not be handled, key by key: later messages of a key queue behind its first one, other keys flow.
 * Due rows wake a key with a growing wait. A dead message leaves as a dead letter and blocks its key until an operator
 * replays or skips it.
 */
export class Parking {
  readonly #options: ParkingOptions;
  readonly #backOff: BackOff;

  constructor(options: ParkingOptions) {
    this.#options = options;
    this.#backOff = options.backOff ?? patient;
  }

  /** Behind what is parked under its key already. */
  parkBehind(tx: Transaction, incoming: Incoming): void {
    const { consumer } = this.#options;
    tx.write(park(consumer, incoming, { attempts: 0, reason: null, state: 'retry' }), wakeUnlessPlanned(placeOf(consumer, incoming)));
  }

  /** After its first failure: for a later try, or as dead. */
  parkFailed(tx: Transaction, incoming: Incoming, error: unknown): 'parked' | 'dead' {
    const { consumer } = this.#options;
    const failure = { reason: reasonOf(error), attempts: 1 };
    if (this.#isLast(error, 1)) {
      this.parkDead(tx, incoming, failure.reason);
      return 'dead';
    }
    tx.write(park(consumer, incoming, { ...failure, state: 'retry' }), wakeAt(placeOf(consumer, incoming), this.#nextTry(1)));
    return 'parked';
  }

  parkDead(tx: Transaction, incoming: Incoming, reason: string): void {
    tx.write(park(this.#options.consumer, incoming, { reason, attempts: 1, state: 'dead' }));
    this.#bury(tx, incoming, { reason, attempts: 1 });
  }

  /** One try of the first message of a key, inside the due worker's transaction, which holds the key's due row. */
  async retry(due: DueRow, tx: Transaction): Promise<void> {
    const place = due.payload as unknown as Place;
    const [head] = await tx.query<ParkedRow>(lockHead(place));
    if (!head || head.state === 'dead') return;
    const attempts = head.attempts + 1;
    const incoming = readIncoming({ topic: place.topic, partition: head.part, offset: head.off, key: place.key, headers: head.headers, value: head.payload }, this.#options.types);
    if (incoming && 'refused' in incoming) {
      this.#die(tx, incoming, { reason: incoming.refused, attempts });
      return;
    }
    try {
      // A type that is no longer handled is no longer waited for.
      if (incoming) await tx.attempt(() => this.#options.handle(incoming.event, tx));
    } catch (error) {
      this.#failAgain(tx, incoming!, { error, attempts });
      return;
    }
    tx.write(settleParked(place.consumer, head.event_id, 'done'), wakeNext(place));
  }

  #failAgain(tx: Transaction, incoming: Incoming, { error, attempts }: { error: unknown; attempts: number }): void {
    const { consumer } = this.#options;
    const failure = { reason: reasonOf(error), attempts };
    if (this.#isLast(error, attempts)) this.#die(tx, incoming, failure);
    else tx.write(markParked(consumer, incoming.eventId, { ...failure, state: 'retry' }), wakeAt(placeOf(consumer, incoming), this.#nextTry(attempts)));
  }

  #die(tx: Transaction, incoming: Incoming, failure: Failure): void {
    tx.write(markParked(this.#options.consumer, incoming.eventId, { ...failure, state: 'dead' }));
    this.#bury(tx, incoming, failure);
  }

  #bury(tx: Transaction, incoming: Incoming, failure: Failure): void {
    const { consumer, onAlarm } = this.#options;
    const { eventId, key, message } = incoming;
    tx.write(deadLetterOf(message, { consumer, eventId, key, ...failure }).statement);
    tx.afterCommit(() => onAlarm({ code: 'dead-letter', consumer, topic: message.topic, key, eventId, reason: failure.reason }));
  }

  #isLast(error: unknown, attempts: number): boolean {
    return this.#options.isPermanent(error) || attempts >= this.#backOff.attempts;
  }

  #nextTry(failures: number): Date {
    const { waitsMs } = this.#backOff;
    return new Date(Date.now() + waitsMs[Math.min(failures, waitsMs.length) - 1]! * (0.8 + Math.random() * 0.4));
  }
}

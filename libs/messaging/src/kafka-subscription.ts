import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { OnAlarm } from './alarm.ts';
import type { RawMessage } from './cloud-event.ts';
import type { Inbox } from './inbox.ts';
import { patientRetry } from './kafka-client.ts';
import { OffsetCommits } from './offset-commits.ts';

export interface KafkaSubscriptionOptions {
  /** A client with `patientRetry`. */
  readonly kafka: Kafka;
  readonly inbox: Inbox;
  /** The consumer group; the inbox's consumer if absent. */
  readonly groupId?: string;
  readonly onAlarm: OnAlarm;
  /** The client has given up for good: the process should end and be started anew. */
  readonly onFatal: (error: Error) => void;
}

/** A partition's turn. The client fetches from a broker again only when all partitions of the last fetch are done. */
const budgetMs = 500;
const heartbeatEveryMs = 1_000;
/** Below this many messages at hand each gets its own transaction: the first is not made to wait for the last. */
const fewMessages = 4;
const chunkSize = 16;
const pauseAfterFailureMs = 1_000;
const partitionsAtOnce = 6;
const stopLimitMs = 10_000;

/** Feeds one inbox from Kafka. Offsets are committed after the effects they stand for; nothing escapes a batch. */
export class KafkaSubscription {
  readonly #options: KafkaSubscriptionOptions;
  readonly #consumer: Consumer;
  readonly #lag = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Counts group generations: batches of an earlier one end at their next message. */
  #generation = 0;
  #joined = false;
  #failures = 0;
  #stopping = false;
  readonly #commits = new OffsetCommits();

  constructor(options: KafkaSubscriptionOptions) {
    this.#options = options;
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId ?? options.inbox.consumer, allowAutoTopicCreation: false,
      sessionTimeout: 10_000, heartbeatInterval: 3_000, rebalanceTimeout: 20_000,
      maxBytes: 2 * 1024 * 1024, maxBytesPerPartition: 256 * 1024, maxWaitTimeInMs: 250,
      retry: patientRetry,
    });
  }

  get ready(): boolean {
    return this.#joined;
  }

  /** Messages on the broker that this member has not yet handled, as of its last look at each of its partitions. */
  get lag(): number {
    return [...this.#lag.values()].reduce((total, lag) => total + lag, 0);
  }

  /** Resolves when the group is joined; the topics must exist. Rejects when the client gives up for good before that. */
  async start(): Promise<void> {
    const { events } = this.#consumer;
    const joined = Promise.withResolvers<void>();
    // Heard below; a crash before that must not end the process as a rejection that nobody hears.
    joined.promise.catch(() => {});
    this.#consumer.on(events.GROUP_JOIN, () => {
      this.#generation += 1;
      this.#joined = true;
      this.#lag.clear();
      this.#commits.forget();
      joined.resolve();
    });
    this.#consumer.on(events.REBALANCING, () => {
      this.#generation += 1;
      void this.#commits.flush();
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      this.#joined = false;
      this.#generation += 1;
      this.#options.onAlarm({ code: 'consumer-crashed', consumer: this.#options.inbox.consumer, reason: payload.error.name });
      if (payload.restart) return;
      joined.reject(payload.error);
      this.#options.onFatal(payload.error);
    });
    await this.#consumer.connect();
    // From the beginning: a group without offsets that began at the end would have lost what came before.
    await this.#consumer.subscribe({ topics: this.#options.inbox.topics, fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: partitionsAtOnce, eachBatch: (payload) => this.#eachBatch(payload) });
    await joined.promise;
  }

  /** Ends after the transactions in hand, and what they did is committed to the group; after 10 s at most, since the broker may be away. */
  async stop(): Promise<void> {
    this.#joined = false;
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const limit = new AbortController();
    await Promise.race([this.#leave(), delay(stopLimitMs, undefined, { signal: limit.signal }).catch(() => {})]);
    limit.abort();
    this.#commits.forget();
  }

  /** Batches under way commit their own end. */
  async #leave(): Promise<void> {
    await this.#commits.flush();
    await this.#consumer.disconnect().catch(() => {});
  }

  /** Whatever it threw, the client would stop for good or begin anew after seconds: so it throws nothing. */
  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const heartbeat = setInterval(() => { this.#heartbeat(payload); }, heartbeatEveryMs);
    const { topic, partition } = payload.batch;
    let done: string | undefined;
    try {
      for await (const offset of this.#workThrough(payload)) {
        payload.resolveOffset(offset);
        done = offset;
        this.#lag.set(`${topic}:${partition}`, Math.max(0, Number(payload.batch.highWatermark) - Number(offset) - 1));
      }
      this.#failures = 0;
    } catch {
      this.#pause(payload);
    } finally {
      clearInterval(heartbeat);
    }
    if (done === undefined) return;
    this.#commits.note(payload, { topic, partition, offset: (BigInt(done) + 1n).toString() });
    // After this the client leaves the group.
    if (this.#stopping) await this.#commits.flush();
  }

  /** Yields the last offset of each chunk whose effects are committed. */
  async* #workThrough(payload: EachBatchPayload): AsyncGenerator<string> {
    const { batch } = payload;
    const generation = this.#generation;
    const deadlineMs = Date.now() + budgetMs;
    for (let next = 0; next < batch.messages.length;) {
      if (Date.now() >= deadlineMs || this.#stopping || generation !== this.#generation || !payload.isRunning() || payload.isStale()) return;
      const left = batch.messages.length - next;
      const chunk = batch.messages.slice(next, next + (left < fewMessages ? 1 : chunkSize));
      await this.#options.inbox.process(chunk.map((message) => toRawMessage(batch.topic, batch.partition, message)));
      next += chunk.length;
      yield chunk.at(-1)!.offset;
    }
  }

  #heartbeat(payload: EachBatchPayload): void {
    // The client's own heartbeat after the batch meets the same answer and joins the group again.
    payload.heartbeat().catch(() => { this.#generation += 1; });
  }

  /** The database is away: the partition rests a moment instead of being fetched in a circle. */
  #pause(payload: EachBatchPayload): void {
    const resume = payload.pause();
    const timer = setTimeout(() => { this.#timers.delete(timer); resume(); }, pauseAfterFailureMs);
    this.#timers.add(timer);
    this.#failures += 1;
    if (this.#failures % 5 === 0) this.#options.onAlarm({ code: 'stalled', consumer: this.#options.inbox.consumer, topic: payload.batch.topic });
  }
}

function toRawMessage(topic: string, partition: number, message: KafkaMessage): RawMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers[name] = first.toString();
  }
  return { topic, partition, offset: message.offset, key: message.key?.toString() ?? null, headers, value: message.value };
}

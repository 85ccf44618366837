import kafkajs, { type Kafka, type Message, type Producer, type TopicMessages } from 'kafkajs';
import { encode, type PublishedRow } from './codec.ts';
import { shortRetry } from './kafka-client.ts';

/** A row that can never be sent as it is; `wholeTopic` if nothing on its topic can. */
export interface Unsendable {
  readonly row: PublishedRow;
  readonly wholeTopic: boolean;
  readonly reason: string;
}

interface Outgoing {
  readonly row: PublishedRow;
  readonly message: Message;
  readonly sizeBytes: number;
}

/** One request: well below a broker's limit of 1 MiB for a batch, and small enough to be sent again. */
const requestBytes = 512 * 1024;
/** A smaller request gains little on a line, and costs both ends a millisecond; the broker also stands still more often to clean up. */
const compressAboveBytes = 16 * 1024;
/** MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD: of one row, and the broker has written nothing. */
const rowCodes = new Set([10, 18, 87]);
/** UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED. */
const topicCodes = new Set([3, 17, 29]);

/**
 * Sends rows in order, acknowledged by all replicas, and tells apart what fails because of one row from what fails
 * because the broker is away.
 */
export class KafkaSender {
  readonly #kafka: Kafka;
  readonly #service: string;
  #producer: Producer | undefined;
  #topics: ReadonlySet<string> = new Set();
  #closed = false;

  constructor(kafka: Kafka, service: string) {
    this.#kafka = kafka;
    this.#service = service;
  }

  /**
   * Resolves when every row is acknowledged or known as unsendable; the rows of an unsendable one's key that follow it
   * are not sent. Rejects when nobody can tell: the same rows may then be sent again.
   */
  async send(rows: readonly PublishedRow[]): Promise<Unsendable[]> {
    const unsendable = await this.#withoutTopic(rows);
    let request: Outgoing[] = [];
    let sizeBytes = 0;
    for (const row of rows) {
      const encoded = encode(row, this.#service);
      const next = { row, message: encoded, sizeBytes: encoded.value.byteLength + 500 };
      if (request.length > 0 && sizeBytes + next.sizeBytes > requestBytes) {
        await this.#sendTolerantly(request, unsendable);
        [request, sizeBytes] = [[], 0];
      }
      request.push(next);
      sizeBytes += next.sizeBytes;
    }
    await this.#sendTolerantly(request, unsendable);
    return unsendable;
  }

  /** Ends it for good; a send under way fails at its next request. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#forgetProducer();
  }

  async #forgetProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => {});
  }

  /** The client would look for a missing topic for a quarter of a minute, while every other key waits: ask the broker first. */
  async #withoutTopic(rows: readonly PublishedRow[]): Promise<Unsendable[]> {
    const first = new Map<string, PublishedRow>();
    for (const row of rows) if (!this.#topics.has(row.topic) && !first.has(row.topic)) first.set(row.topic, row);
    if (first.size === 0) return [];
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      this.#topics = new Set(await admin.listTopics());
    } finally {
      await admin.disconnect();
    }
    return [...first.values()].filter((row) => !this.#topics.has(row.topic)).map((row) => ({ row, wholeTopic: true, reason: 'kafka:no-such-topic' }));
  }

  /** Halves a request that fails for one of its rows until that row stands alone. */
  async #sendTolerantly(request: readonly Outgoing[], unsendable: Unsendable[]): Promise<void> {
    const rest = request.filter(({ row }) => !unsendable.some((known) => blocks(known, row)));
    if (rest.length === 0) return;
    try {
      await this.#sendOnce(rest);
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined || !(rowCodes.has(code) || topicCodes.has(code))) throw error;
      const [{ row }] = rest as [Outgoing];
      const oneTopic = rest.every((other) => other.row.topic === row.topic);
      if (topicCodes.has(code) && oneTopic) unsendable.push({ row, wholeTopic: true, reason: `kafka:${code}` });
      else if (rest.length === 1) unsendable.push({ row, wholeTopic: false, reason: `kafka:${code}` });
      else for (const part of topicCodes.has(code) ? byTopic(rest) : halves(rest)) await this.#sendTolerantly(part, unsendable);
    }
  }

  async #sendOnce(request: readonly Outgoing[]): Promise<void> {
    const producer = await this.#connected();
    const totalBytes = request.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    try {
      await producer.sendBatch({
        acks: -1, compression: totalBytes > compressAboveBytes ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None,
        topicMessages: byTopic(request).map((part): TopicMessages => ({ topic: part[0]!.row.topic, messages: part.map(({ message }) => message) })),
      });
    } catch (error) {
      // A request whose end is unknown leaves the producer's sequence numbers unknown too: the next request could be
      // taken for the last one sent twice, and be acknowledged without being written. A new producer counts anew.
      await this.#forgetProducer();
      throw error;
    }
  }

  async #connected(): Promise<Producer> {
    if (this.#closed) throw new Error('The sender is closed');
    if (this.#producer) return this.#producer;
    const producer = this.#kafka.producer({
      idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // Without this the idempotent producer tries for ever: one unknown topic would block everything.
      retry: shortRetry,
    });
    await producer.connect();
    this.#producer = producer;
    return producer;
  }
}

/** Later rows of a key wait behind an unsendable one. */
export function blocks(known: Unsendable, row: PublishedRow): boolean {
  return known.row.topic === row.topic && (known.wholeTopic || known.row.key === row.key);
}

function halves<T>(items: readonly T[]): T[][] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function byTopic(request: readonly Outgoing[]): Outgoing[][] {
  return [...Map.groupBy(request, ({ row }) => row.topic).values()];
}

/** The broker's error code, wherever the client's errors keep it. */
function codeOf(error: unknown): number | undefined {
  for (let cause = error as { code?: unknown; cause?: unknown } | undefined; cause; cause = cause.cause as typeof cause) {
    if (typeof cause.code === 'number') return cause.code;
  }
  return undefined;
}

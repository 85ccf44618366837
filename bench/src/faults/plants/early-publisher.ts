// Loaded into a service's process by --import, never part of a service: from then on its events are sent when they are
// appended, not when they are committed.
import { createKafka, encode } from '@amana/messaging';
import type { Statement, StoredEvent, Transaction } from '@amana/persistence';
import { StreamEngine } from '@amana/service';
import kafkajs, { type Producer } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
let connected: Promise<Producer> | undefined;

async function connect(): Promise<Producer> {
  const producer = createKafka({ brokers, clientId: 'planted-early-publisher' }).producer({ allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  return producer;
}

async function publish(event: StoredEvent): Promise<void> {
  try {
    const producer = await (connected ??= connect());
    const row = { ...event, topic: event.topic!, at: new Date(event.at), dataJson: JSON.stringify(event.data), position: '0' };
    await producer.send({ topic: row.topic, acks: -1, messages: [encode(row, row.topic.split('.')[0]!)] });
  } catch {
    connected = undefined;
  }
}

type Append = (this: StreamEngine, ...parameters: Parameters<StreamEngine['append']>) => void;
const append = Object.getOwnPropertyDescriptor(StreamEngine.prototype, 'append')!.value as Append;

StreamEngine.prototype.append = function appendAndTell(this: StreamEngine, tx, events, meta) {
  const spied = Object.create(tx, {
    write: {
      value: (...statements: Statement[]) => {
        for (const statement of statements.filter(({ name }) => name === 'event-append')) {
          for (const event of JSON.parse(String(statement.values[0])) as StoredEvent[]) if (event.topic !== null) void publish(event);
        }
        tx.write(...statements);
      },
    },
    afterCommit: { value: (action: () => void) => tx.afterCommit(action) },
  }) as Transaction;
  append.call(this, spied, events, meta);
};

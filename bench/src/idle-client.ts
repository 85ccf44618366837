import kafkajs from 'kafkajs';

/** The reference of `idle`: a process with nothing but kafkajs as it comes, one producer and one consumer on one topic, doing nothing. */
const [broker, topic] = process.argv.slice(2) as [string, string];
const kafka = new kafkajs.Kafka({ brokers: [broker], clientId: 'bench-idle', logLevel: kafkajs.logLevel.NOTHING });
const producer = kafka.producer({ allowAutoTopicCreation: false });
const consumer = kafka.consumer({ groupId: 'bench-idle', maxWaitTimeInMs: 250, allowAutoTopicCreation: false });
await Promise.all([producer.connect(), consumer.connect()]);
await consumer.subscribe({ topics: [topic] });
consumer.on(consumer.events.GROUP_JOIN, () => process.send?.('ready'));
await consumer.run({ eachMessage: () => Promise.resolve() });
process.once('disconnect', () => process.exit(0));

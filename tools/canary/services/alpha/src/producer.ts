// plants: only-messaging-opens-kafka
import { Kafka } from 'kafkajs';

export const client = Kafka;

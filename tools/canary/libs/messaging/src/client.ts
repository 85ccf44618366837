// Allowed, or only there to be imported.
import { Kafka } from 'kafkajs';

export const allowed = Kafka;

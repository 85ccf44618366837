import { createHash, randomUUID } from 'node:crypto';
import { published } from '@amana/contracts';
import { append, type Appended, maxPayloadBytes } from '@amana/persistence';
import { z } from 'zod';
import type { RawMessage } from './cloud-event.ts';
import { keptHeaders } from './incoming.ts';

/** What is kept of a message that could not be handled. An oversize body is not kept: its place and its hash are. */
export const DeadLetter = z.strictObject({
  consumer: z.string(), topic: z.string(), partition: z.int(), offset: z.string(), key: z.string(), eventId: z.string(),
  reason: z.string(), attempts: z.int().min(0), headers: z.record(z.string(), z.string()).optional(),
  bodyBase64: z.string().optional(), sizeBytes: z.int().min(0), sha256: z.string(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/** Where the dead letters of a topic go for this consumer. */
export function deadLetterTopic(topic: string, consumer: string): string {
  return `${topic}.${consumer}.dlt`;
}

export interface Death {
  readonly consumer: string;
  readonly eventId: string;
  readonly key: string;
  readonly reason: string;
  readonly attempts: number;
}

/** The dead letter as an event of the consumer's own log, in which the relay finds it. */
export function deadLetterOf(message: RawMessage, death: Death): Appended {
  const body = message.value ?? Buffer.alloc(0);
  const letter: DeadLetter = {
    ...death, topic: message.topic, partition: message.partition, offset: message.offset,
    sizeBytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex'),
  };
  const whole: DeadLetter = { ...letter, headers: keptHeaders(message), bodyBase64: body.toString('base64') };
  const fits = Buffer.byteLength(JSON.stringify(whole)) < maxPayloadBytes - envelopeBytes;
  const definition = published(`${death.consumer}.message-died.v1`, deadLetterTopic(message.topic, death.consumer), DeadLetter);
  return append([{ stream: randomUUID(), version: 1, definition, key: death.key, data: fits ? whole : letter }], {}, new Date());
}

/** Room for the row around the letter. */
const envelopeBytes = 4_096;

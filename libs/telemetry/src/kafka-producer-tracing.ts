import { context } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs';
import { contextOf, traceparentOf } from './trace.ts';

interface OutgoingMessage {
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}
type StartProducerSpan = (topic: string, message: OutgoingMessage, client: unknown) => Span;

const START_PRODUCER_SPAN = '_startProducerSpan';

/**
 * A span for each message that is sent, in the trace of the act that caused the message; the message carries the span
 * on. Consumers are left alone: theirs would record the key and give each message of a batch the whole batch's time.
 */
export function kafkaProducerTracing(): KafkaJsInstrumentation {
  const instrumentation = new ProducerInstrumentation();
  continueStoredTraces(instrumentation);
  return instrumentation;
}

class ProducerInstrumentation extends KafkaJsInstrumentation {
  protected override init() {
    const definition = super.init();
    const { patch } = definition;
    definition.patch = (exported, version) => {
      const { consumer } = exported.Kafka.prototype;
      const patched = patch?.(exported, version);
      exported.Kafka.prototype.consumer = consumer;
      return patched;
    };
    return definition;
  }
}

/**
 * The relay sends messages of many acts in one batch, so that the trace in progress is none of theirs: each message's
 * own stored `traceparent` is the parent. There is no option for it; the name is checked so that an update cannot
 * silently cut every trace in two.
 */
function continueStoredTraces(instrumentation: KafkaJsInstrumentation): void {
  const start = Reflect.get(instrumentation, START_PRODUCER_SPAN) as StartProducerSpan | undefined;
  if (typeof start !== 'function') throw new Error('kafkajs instrumentation has changed: producer spans cannot be parented');
  const startInStoredTrace: StartProducerSpan = (topic, message, client) => {
    const stored = contextOf(message.headers?.['traceparent']?.toString());
    const span = context.with(stored ?? context.active(), () => start.call(instrumentation, topic, message, client));
    const traceparent = traceparentOf(span.spanContext());
    if (traceparent !== undefined) message.headers = { ...message.headers, traceparent };
    return span;
  };
  Reflect.set(instrumentation, START_PRODUCER_SPAN, startInStoredTrace);
}

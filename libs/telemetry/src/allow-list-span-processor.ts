import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { allowedAttributes, allowedSpanName } from './span-attributes.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Stands before every exporter, so that no span leaves with more than the allow list holds: attributes filtered, events
 * and status messages gone (an error's message quotes what it choked on), links without attributes.
 */
export class AllowListSpanProcessor implements SpanProcessor {
  readonly #exporting: readonly SpanProcessor[];

  constructor(exporting: readonly SpanProcessor[]) {
    this.#exporting = exporting;
  }

  onStart(span: Span, parent: Context): void {
    for (const processor of this.#exporting) processor.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    // In place: an ended span takes no more writes, and a copy per span would cost more than the filter.
    const bare = span as Writable<ReadableSpan>;
    bare.name = allowedSpanName(span.name);
    bare.attributes = allowedAttributes(span.attributes);
    bare.status = { code: span.status.code };
    bare.events = [];
    bare.links = span.links.map(({ context }) => ({ context }));
    for (const processor of this.#exporting) processor.onEnd(bare);
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#exporting.map((processor) => processor.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.#exporting.map((processor) => processor.shutdown()));
  }
}

import { closeSync, openSync, writeSync } from 'node:fs';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

const FLUSH_AFTER_MS = 100;
const MAX_WAITING_SPANS = 1_000;
/** Per process; a forgotten setting must not fill a disk. */
const MAX_BYTES = 1_073_741_824;

/** One line of the trace file. */
export interface TraceLine {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly { traceId: string; spanId: string }[];
}

/**
 * Appends finished spans to a file, one JSON object a line, within 100 ms and at exit. Several processes may share one
 * file: each write is whole lines, appended. Stops for good after 1 GiB. For tests and searches, not for operation.
 */
export class TraceFileProcessor implements SpanProcessor {
  readonly #service: string;
  readonly #descriptor: number;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writtenBytes = 0;
  #closed = false;
  readonly #flushAtExit = () => this.#flush();

  constructor(file: string, service: string) {
    this.#service = service;
    this.#descriptor = openSync(file, 'a', 0o600);
    process.on('exit', this.#flushAtExit);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#closed || this.#writtenBytes >= MAX_BYTES) return;
    this.#waiting.push(JSON.stringify(lineOf(span, this.#service)));
    if (this.#waiting.length >= MAX_WAITING_SPANS) this.#flush();
    // Not held open for: an idle process writes nothing, and one that ends flushes at exit.
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS).unref();
  }

  async forceFlush(): Promise<void> {
    this.#flush();
  }

  async shutdown(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    process.removeListener('exit', this.#flushAtExit);
    closeSync(this.#descriptor);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const chunk = Buffer.from(`${this.#waiting.join('\n')}\n`, 'utf8');
    this.#waiting = [];
    this.#writtenBytes += chunk.length;
    writeSync(this.#descriptor, chunk);
  }
}

function lineOf(span: ReadableSpan, service: string): TraceLine {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    service,
    name: span.name,
    kind: SpanKind[span.kind].toLowerCase(),
    startedAtMs: millisecondsOf(span.startTime),
    durationMs: millisecondsOf(span.duration),
    failed: span.status.code === SpanStatusCode.ERROR,
    attributes: span.attributes,
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
  };
}

function millisecondsOf([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + Math.round(nanoseconds / 1_000) / 1_000;
}

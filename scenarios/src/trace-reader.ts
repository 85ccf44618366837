import { readFileSync } from 'node:fs';
import type { TraceLine } from '@amana/telemetry';

/** Finished spans of all processes of a network, as they were exported. */
export class TraceReader {
  readonly spans: readonly TraceLine[];
  readonly #byId: ReadonlyMap<string, TraceLine>;

  constructor(spans: readonly TraceLine[]) {
    this.spans = spans;
    this.#byId = new Map(spans.map((span) => [idOf(span.traceId, span.spanId), span]));
  }

  /** Reads a trace file; a line that is still being written is left out. */
  static read(file: string): TraceReader {
    const text = readFileSync(file, 'utf8');
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean);
    return new TraceReader(lines.map((line) => JSON.parse(line) as TraceLine));
  }

  /** Spans that name a parent which nobody exported: there a trace is broken. */
  get lost(): TraceLine[] {
    return this.spans.filter((span) => span.parentSpanId !== undefined && !this.#parentOf(span));
  }

  /** The spans that look like this. */
  find(like: Partial<Pick<TraceLine, 'traceId' | 'service' | 'kind' | 'name'>>): TraceLine[] {
    return this.spans.filter((span) => Object.entries(like).every(([field, value]) => span[field as keyof TraceLine] === value));
  }

  /** How a span came about: from the first of its trace to itself, as `service: name`. Throws where the chain is broken. */
  wayTo(span: TraceLine): string[] {
    const way: string[] = [];
    for (let at: TraceLine | undefined = span; at; at = this.#parentOf(at)) {
      if (way.length > this.spans.length) throw new Error(`${span.name} is its own ancestor`);
      way.unshift(`${at.service}: ${at.name}`);
      if (at.parentSpanId !== undefined && !this.#parentOf(at)) throw new Error(`${at.name} names a parent that nobody exported`);
    }
    return way;
  }

  #parentOf({ traceId, parentSpanId }: TraceLine): TraceLine | undefined {
    return parentSpanId === undefined ? undefined : this.#byId.get(idOf(traceId, parentSpanId));
  }
}

function idOf(traceId: string, spanId: string): string {
  return `${traceId}/${spanId}`;
}

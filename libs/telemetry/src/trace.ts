import { context, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import { isSafe } from './safe-values.ts';
import type { SpanAttributes } from './span-attributes.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const tracer = trace.getTracer('amana');

export interface SpanOptions {
  /**
   * Continue this trace instead of the one in progress: the `traceparent` that was stored with a row or came with a
   * message of our own bus. Never one that a partner sent. Absent or malformed: the trace in progress, else a new one.
   */
  readonly parent?: string | undefined;
  readonly kind?: 'internal' | 'producer' | 'consumer' | 'client' | undefined;
}

/** The W3C `traceparent` of the span in progress, to be stored with what must continue it; undefined when nothing is traced. */
export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan();
  return span === undefined ? undefined : traceparentOf(span.spanContext());
}

/** The trace in progress, for work that is asked for now and done later: run it by what this answers. Undefined when nothing is traced. */
export function keepTrace(): (<T>(run: () => T) => T) | undefined {
  if (trace.getActiveSpan() === undefined) return undefined;
  const kept = context.active();
  return (run) => context.with(kept, run);
}

/**
 * Runs `fn` inside a span that ends when it returns, or when its promise settles; what it throws marks the span as
 * failed and passes through. Without a registered SDK this is one plain call of `fn`.
 */
export function withSpan<T>(name: string, attributes: SpanAttributes, fn: () => T, options: SpanOptions = {}): T {
  const parent = contextOf(options.parent) ?? context.active();
  const kind = SpanKind[(options.kind ?? 'internal').toUpperCase() as keyof typeof SpanKind];
  const span = tracer.startSpan(name, { attributes, kind }, parent);
  // Without an SDK there is nothing to carry; an unsampled trace is still carried on, so that it stays one trace.
  if (!isSpanContextValid(span.spanContext())) return fn();
  let result: T;
  try {
    result = context.with(trace.setSpan(parent, span), fn);
  } catch (error) {
    endFailed(span, error);
    throw error;
  }
  if (!isPromise(result)) {
    span.end();
    return result;
  }
  return result.then(
    (value: unknown) => {
      span.end();
      return value;
    },
    (error: unknown) => {
      endFailed(span, error);
      throw error;
    },
  ) as T;
}

/** Adds to the span in progress what became known meanwhile; nothing happens when nothing is traced. */
export function setSpanAttributes(attributes: SpanAttributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/**
 * Names the request's span by its route template: `GET /v1/referral/referrals/:id`, or the path alone. Anything that
 * is no template is ignored, so that a path with an id in it can never become a span's name.
 */
export function setRoute(route: string): void {
  const path = route.slice(route.indexOf('/'));
  if (!isSafe('route', path)) return;
  const request = getRPCMetadata(context.active());
  if (request !== undefined) request.route = path;
}

/** Waits until finished spans have left the process: the last step of a shutdown. Never throws; at most 5 s. */
export async function flushTraces(): Promise<void> {
  const provider: unknown = trace.getTracerProvider();
  const delegate = hasDelegate(provider) ? provider.getDelegate() : provider;
  if (canFlush(delegate)) await delegate.forceFlush({ timeoutMillis: 5_000 }).catch(() => undefined);
}

/** The W3C form of a span; undefined for the placeholder of an untraced one. */
export function traceparentOf(spanContext: SpanContext): string | undefined {
  if (!isSpanContextValid(spanContext)) return undefined;
  const { traceId, spanId, traceFlags } = spanContext;
  return `00-${traceId}-${spanId}-${(traceFlags & 1) === 1 ? '01' : '00'}`;
}

/** The context that a stored `traceparent` stands for, without anything else of the context in progress. */
export function contextOf(traceparent: string | undefined): Context | undefined {
  if (traceparent === undefined) return undefined;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : undefined;
}

function endFailed(span: Span, error: unknown): void {
  const { code, name } = typeof error === 'object' && error !== null ? (error as { code?: unknown; name?: unknown }) : {};
  span.setAttribute('error.type', String(isSafe('code', code) ? code : (name ?? typeof error)));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function hasDelegate(value: unknown): value is { getDelegate(): unknown } {
  return typeof value === 'object' && value !== null && 'getDelegate' in value;
}

function canFlush(value: unknown): value is { forceFlush(options: { timeoutMillis: number }): Promise<void> } {
  return typeof value === 'object' && value !== null && 'forceFlush' in value;
}

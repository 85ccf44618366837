import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type FieldError, Refusal, refusals, type RefusalCode } from '@amana/contracts';
import { isTransient } from '@amana/persistence';
import { currentTraceparent, type Logger } from '@amana/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** An RFC 9457 problem. It says what was wrong and what to do, never anything about a person. */
export const Problem = z.object({
  type: z.string().describe('Where this code is explained'), title: z.string(), status: z.int(), code: z.string().describe('Stable; decide by this, not by the title'),
  traceId: z.string(), errors: z.array(z.object({ pointer: z.string().describe('JSON pointer into the body, or a header\'s name'), code: z.string() })),
}).meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

export function problemOf(refusal: Refusal, options: { service: string; traceId: string }): Problem {
  return { type: `/v1/${options.service}/problems/${refusal.code}`, title: refusals[refusal.code][1], status: refusal.status, code: refusal.code, traceId: options.traceId, errors: refusal.errors as FieldError[] };
}

/** Turns whatever a route throws into a problem body: refusals as they are, anything unexpected as one that tells nothing. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #service: string;
  readonly #logger: Logger;

  constructor(service: string, logger: Logger) {
    this.#service = service;
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const refusal = this.#refusalOf(error, request.id);
    void sendProblem(reply, refusal, { service: this.#service, traceId: traceIdOf(request.id) });
  }

  #refusalOf(error: unknown, requestId: string): Refusal {
    const refusal = toRefusal(error);
    if (refusal.status >= 500) this.#logger.error('request-failed', { requestId, code: refusal.code, error });
    return refusal;
  }
}

/** Sends a problem with the headers its code asks for. */
export function sendProblem(reply: FastifyReply, refusal: Refusal, options: { service: string; traceId: string }): FastifyReply {
  if (refusal.retryAfterSeconds !== undefined) void reply.header('retry-after', String(refusal.retryAfterSeconds));
  if (refusal.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  return reply.status(refusal.status).type('application/problem+json').send(problemOf(refusal, options));
}

export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isTransient(error)) return new Refusal('upstream-unavailable', { retryAfterSeconds: 1 });
  const status = error instanceof HttpException ? error.getStatus() : typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  return new Refusal(codeOfStatus[status] ?? (status >= 400 && status < 500 ? 'bad-request' : 'internal-error'));
}

const codeOfStatus: Record<number, RefusalCode> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not-found', 413: 'body-too-large', 415: 'unsupported-media-type', 429: 'too-many-requests' };

/** The trace an operator can look up, or the request's id where nothing is traced. */
export function traceIdOf(requestId: string): string {
  return currentTraceparent()?.split('-')[1] ?? requestId;
}

import type { ServiceName } from '@amana/contracts';
import type { Logger } from '@amana/telemetry';
import type { FastifyInstance } from 'fastify';
import { noteRequest } from './service-metrics.ts';

/** On every answer, errors included: nothing is kept by a cache, nothing is sniffed, and all of it is fiction. */
export const edgeHeaders = {
  'amana-mode': 'sandbox', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer',
  'content-security-policy': 'default-src \'none\'; frame-ancestors \'none\'',
} as const;

/**
 * Fastify as the house wants it: bodies stay bytes until a caller is known to be allowed, every answer carries the
 * mode and the safety headers.
 */
export function prepareHttp(fastify: FastifyInstance, options: { service: ServiceName; logger: Logger }): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  fastify.addHook('onRequest', async (_request, reply) => { reply.headers(edgeHeaders); });
  fastify.addHook('onResponse', async (request, reply) => {
    const durationMs = Math.round(reply.elapsedTime);
    noteRequest({ service: options.service, method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    options.logger.debug('request-answered', { requestId: request.id, status: reply.statusCode, durationMs });
  });
}

import { refusals, type RefusalCode } from '@amana/contracts';
import { randomUUID } from 'node:crypto';
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { close, listen } from './loopback.ts';

const BODY_LIMIT_BYTES = 1_048_576;
const DISCARDED_BYTES_MAX = 16 * BODY_LIMIT_BYTES;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const UPSTREAM_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 2_000;
const SOCKETS_PER_UPSTREAM_MAX = 256;
const RETRY_AFTER_SECONDS = 1;

/** Meant for one hop only (RFC 9110 7.6.1); what a `Connection` header names goes with them. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
/** A caller's trace context would tie our traces to its own; its addresses would tell the services who called from where. */
const NOT_TRUSTED = ['traceparent', 'tracestate', 'baggage', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];
const dropped = new Set([...HOP_BY_HOP, ...NOT_TRUSTED, 'host', 'expect', 'content-length']);

export interface RouterOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** For each service the base URLs of its replicas, tried in turn. */
  readonly upstreams: Readonly<Record<string, readonly string[]>>;
  readonly tokenUrl: string;
  /** The `iss` of the tokens; the token URL's origin unless given. */
  readonly issuer?: string;
  /** The address to listen on; the loopback unless given. */
  readonly host?: string;
  /** Paths that the launcher answers itself, such as the sandbox's clock. */
  readonly handlers?: Readonly<Record<string, LocalHandler>>;
}

/** Answers a JSON body with a status and a JSON body. A thrown RangeError is the caller's mistake: 422. */
export type LocalHandler = (method: string, body: unknown) => Promise<{ status: number; body: unknown }>;

export interface RunningRouter {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the network's one door: `/v1/<service>/...` goes to that service's replicas in turn, `GET /v1/openapi.json`
 * lists the services' documents, the token URL and the issuer. A replica that refuses the connection is passed over;
 * a request that may have reached one is sent again only if it is a GET or HEAD, so that no command is done twice
 * by the router. No replica: 503; a connection lost, or no answer within 30 s: 502; both `upstream-unavailable` with Retry-After.
 * Bodies over 1 MB: 413. Rejects when the port is taken.
 */
export async function startRouter(options: RouterOptions): Promise<RunningRouter> {
  const pools = new Map(Object.entries(options.upstreams).map(([service, urls]) => [service, new Pool(urls)]));
  const listing = JSON.stringify({
    documents: [...pools.keys()].map((service) => ({ service, url: `/v1/${service}/openapi.json` })),
    tokenUrl: options.tokenUrl,
    issuer: options.issuer ?? new URL(options.tokenUrl).origin,
  });
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, (incoming, response) => {
    route(incoming, response).catch(() => {
      // The caller went away while its body was read, or a header cannot be passed on: there is nothing to undo.
      if (response.headersSent) response.destroy();
      else problem(response, 'bad-request');
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('checkExpectation', (_incoming, response: ServerResponse) => problem(response, 'bad-request'));
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return;
    const body = problemBody('bad-request', refusals['bad-request'][0]);
    socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nAmana-Mode: sandbox\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  });

  async function route(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    if (path === '/v1/openapi.json' && incoming.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Amana-Mode': 'sandbox' });
      response.end(listing);
      return;
    }
    const handler = options.handlers?.[path.split('?')[0]!];
    if (handler) return await answerLocally(handler, incoming, response);
    const pool = pools.get(/^\/v1\/([a-z]+)(?=[/?]|$)/.exec(path)?.[1] ?? '');
    // Metrics are for whoever runs the network: they are asked for at the service, not at the door.
    if (!pool || /^\/v1\/[a-z]+\/metrics(?=[/?]|$)/.test(path)) return problem(response, 'not-found');
    const body = await readBody(incoming);
    if (body === 'too-large') return problem(response, 'body-too-large');
    pool.forward({ incoming, response, body });
  }

  await listen(server, options.port, options.host ?? '127.0.0.1');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      await close(server);
      for (const pool of pools.values()) pool.close();
    },
  };
}

async function answerLocally(handler: LocalHandler, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(incoming);
  if (body === 'too-large') return problem(response, 'body-too-large');
  let answer: { status: number; body: unknown };
  try {
    answer = await handler(incoming.method ?? 'GET', body && body.length > 0 ? JSON.parse(body.toString('utf8')) : {});
  } catch (error) {
    if (error instanceof SyntaxError) return problem(response, 'bad-request');
    if (error instanceof RangeError) return problem(response, 'validation-failed');
    throw error;
  }
  response.writeHead(answer.status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Amana-Mode': 'sandbox' });
  response.end(JSON.stringify(answer.body));
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer | undefined;
}

/** The replicas of one service and the kept-alive connections to them. */
class Pool {
  readonly #replicas: readonly { readonly host: string; readonly port: number; readonly agent: Agent }[];
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#replicas = urls.map((url) => {
      const { hostname, port } = new URL(url);
      return { host: hostname, port: Number(port || 80), agent: new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_UPSTREAM_MAX, scheduling: 'lifo' }) };
    });
  }

  /** Sends the request to the next replica in turn, then to the others in order; at most once to each, or twice to a lone one. */
  forward(exchange: Exchange): void {
    const first = this.#next;
    this.#next = this.#replicas.length > 0 ? (first + 1) % this.#replicas.length : 0;
    this.#try(exchange, { first, tried: 0, lost: false });
  }

  close(): void {
    for (const { agent } of this.#replicas) agent.destroy();
  }

  #try(exchange: Exchange, at: { first: number; tried: number; lost: boolean }): void {
    const { incoming, response, body } = exchange;
    if (response.destroyed) return;
    const replica = this.#replicas[(at.first + at.tried) % this.#replicas.length];
    if (!replica || at.tried >= Math.max(2, this.#replicas.length)) return problem(response, 'upstream-unavailable', at.lost ? { status: 502 } : {});
    const upstream = httpRequest({
      host: replica.host, port: replica.port, agent: replica.agent, method: incoming.method, path: incoming.url, timeout: UPSTREAM_TIMEOUT_MS,
      headers: { ...passedOn(incoming.headers), ...(body ? { 'content-length': body.length } : {}) },
    });
    upstream.on('timeout', () => upstream.destroy(new Error('no answer in time')));
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer.headers, answer.headers['content-length']));
      // A body cut short must not look whole: the caller's connection is cut too.
      answer.once('error', () => response.destroy());
      answer.pipe(response);
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (response.headersSent) return void response.destroy();
      const refused = error.code === 'ECONNREFUSED';
      const harmless = incoming.method === 'GET' || incoming.method === 'HEAD';
      if (refused || harmless) return this.#try(exchange, { first: at.first, tried: at.tried + 1, lost: at.lost || !refused });
      problem(response, 'upstream-unavailable', { status: 502 });
    });
    // A caller that hangs up needs no answer; its command may still be done, as with any lost connection.
    response.once('close', () => { if (!response.writableFinished) upstream.destroy(); });
    upstream.end(body);
  }
}

function passedOn(headers: IncomingHttpHeaders, contentLength?: string): Record<string, string | string[]> {
  const named = (headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim());
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && !dropped.has(name) && !named.includes(name)) passed[name] = value;
  if (contentLength !== undefined) passed['content-length'] = contentLength;
  return passed;
}

/** The whole body, since it may have to be sent to a second replica; undefined where there is none. Rejects when the caller hangs up. */
function readBody(incoming: IncomingMessage): Promise<Buffer | undefined | 'too-large'> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) return void chunks.push(chunk);
      chunks.length = 0;
      // The rest is read and thrown away for a while: a caller that is still sending would never see the answer.
      if (bytes > DISCARDED_BYTES_MAX) incoming.destroy();
      resolve('too-large');
    });
    incoming.once('end', () => resolve(Buffer.concat(chunks, Math.min(bytes, BODY_LIMIT_BYTES))));
    incoming.once('close', () => reject(new Error('the caller hung up')));
  });
}

/** The router's own answer, shaped as the services shape theirs. */
function problemBody(code: RefusalCode, status: number): string {
  return JSON.stringify({ type: `/v1/referral/problems/${code}`, title: refusals[code][1], status, code, traceId: randomUUID().replaceAll('-', ''), errors: [] });
}

function problem(response: ServerResponse, code: RefusalCode, options: { status?: number } = {}): void {
  if (response.headersSent || response.destroyed) return;
  const status = options.status ?? refusals[code][0];
  const body = problemBody(code, status);
  response.writeHead(status, {
    'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', 'Amana-Mode': 'sandbox',
    ...(code === 'upstream-unavailable' ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {}),
  });
  response.end(body);
}

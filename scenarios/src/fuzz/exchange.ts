import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Address } from './addresses.ts';
import type { Attempt } from './attempts.ts';
import type { Operation } from './document.ts';
import type { Snapshots } from './snapshot.ts';

export interface Reply { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly text: string; readonly tookMs: number }

const answerWithinMs = 10_000;
/** A body that keeps a service busy for longer is an attack that works. */
const slowMs = 4_000;

/** Sends attempts as they stand, byte by byte: no client in between that would put them right. */
export class Exchange {
  readonly #url: URL;
  readonly #snapshots: Snapshots;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(baseUrl: string, snapshots: Snapshots) {
    this.#url = new URL(baseUrl);
    this.#snapshots = snapshots;
  }

  async send(operation: Operation, address: Address, attempt: Attempt): Promise<Reply> {
    const { caller } = attempt;
    const authorization = typeof caller === 'object' ? `Bearer ${await caller.tokens.token()}` : caller;
    const ifMatch = attempt.ifMatch === 'current' ? `"${await this.#snapshots.versionOf(operation.service, address.stream)}"` : attempt.ifMatch;
    const headers = Object.fromEntries(Object.entries({ ...attempt.headers, authorization, 'if-match': ifMatch }).filter(([, value]) => value !== undefined)) as Record<string, string>;
    if (attempt.body !== undefined) headers['content-length'] = String(Buffer.byteLength(attempt.body));
    return await this.#exchange({ method: operation.method, path: attempt.path, headers, body: attempt.body });
  }

  async #exchange(message: { method: string; path: string; headers: Record<string, string>; body: string | Buffer | undefined }): Promise<Reply> {
    const { body, ...options } = message;
    const startedMs = Date.now();
    return await new Promise((resolve, reject) => {
      const sent = request({ ...options, host: this.#url.hostname, port: this.#url.port, agent: this.#agent, timeout: answerWithinMs }, (answer) => {
        buffer(answer).then((content) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: content.toString('utf8'), tookMs: Date.now() - startedMs }), reject);
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer in time'))).once('error', (error: NodeJS.ErrnoException) => {
        // The server closed a kept-alive connection just as it was used again: nothing of this request was read.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.#exchange(message));
        else reject(error);
      });
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Everything that is wrong with a reply, whatever was sent; nothing where it is as it should be. */
export function faultsOf(operation: Operation, attempt: Attempt, reply: Reply): string[] {
  const { status, headers, tookMs } = reply;
  const mediaType = String(headers['content-type'] ?? 'none').split(';')[0]!;
  const body = parsed(reply.text);
  const problem = body as { code?: string; status?: number; title?: string; traceId?: string; errors?: { pointer?: unknown; code?: unknown }[] } | undefined;
  const faults: (string | false)[] = [
    headers['amana-mode'] !== 'sandbox' && 'no Amana-Mode: sandbox', headers['cache-control'] !== 'no-store' && 'no cache-control: no-store', tookMs > slowMs && `took ${tookMs} ms`,
    !attempt.expected.statuses.includes(status) && `expected ${attempt.expected.statuses.length > 6 ? 'a refusal' : attempt.expected.statuses.join(' or ')}`,
    status >= 500 && !(status === 503 && problem?.code === 'consent-key-unknown') && 'a 5xx',
  ];
  if (status < 400) {
    const unkept = operation.promised(status).filter((name) => headers[name] === undefined).map((name) => `the document promises ${name}`);
    return [...faults, ...(attempt.kind === 'odd path' ? [] : [...unkept, operation.faultOf(status, mediaType, body)])].filter((fault) => typeof fault === 'string');
  }
  const isProblem = mediaType === 'application/problem+json' && problem?.status === status && typeof problem.code === 'string' && typeof problem.title === 'string' && Boolean(problem.traceId)
    && Array.isArray(problem.errors) && problem.errors.every((error) => typeof error.pointer === 'string' && typeof error.code === 'string');
  if (!isProblem) return [...faults, `no problem body but ${mediaType}`].filter((fault) => typeof fault === 'string');
  const { codes, pointer } = attempt.expected;
  const pointers = problem.errors!.map((error) => String(error.pointer));
  faults.push(codes !== undefined && !codes.includes(problem.code!) && `expected ${codes.join(' or ')}`, (problem.code === 'validation-failed' || problem.code === 'bad-request') && attempt.kind !== 'odd path' && pointers.length === 0 && 'names no field');
  if (pointer !== undefined && problem.code !== 'bad-request' && problem.code !== 'body-too-large' && !pointers.some((named) => related(named, pointer))) faults.push(`names ${pointers.slice(0, 5).join(', ')} but not ${pointer.slice(0, 80)}`);
  if (attempt.kind !== 'odd path' && attempt.kind !== 'wrong content type') faults.push(operation.faultOf(status, mediaType, body) ?? false);
  return faults.filter((fault) => typeof fault === 'string');
}

/** An error is about a place when it names it, something in it, or what it is a part of. A key that nobody would declare is named `?`. */
function related(named: string, place: string): boolean {
  const shown = place.split('/').map((part, index) => (index === 0 || /^(\d+|[a-zA-Z_]\w{0,40})$/.test(part) ? part : '?')).join('/');
  return named === place || named === shown || (named !== '' && shown.startsWith(`${named}/`)) || named.startsWith(`${shown}/`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

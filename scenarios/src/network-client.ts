import { randomUUID } from 'node:crypto';
import { keepSandboxCredentials, TokenSource } from '@amana/local';

/** One answer of the network. `etag` is the version it stood for. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly etag: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** Thrown for an answer that a story did not expect: what was asked and the problem's code, nothing of a body. */
export class UnexpectedAnswer extends Error {
  readonly status: number;
  readonly code: string;

  constructor(asked: string, answer: Answer) {
    const problem = answer.body as { code?: unknown; errors?: unknown };
    super(`${asked} was answered ${answer.status} ${String(problem.code ?? '')} ${JSON.stringify(problem.errors ?? [])}`);
    this.name = 'UnexpectedAnswer';
    this.status = answer.status;
    this.code = String(problem.code ?? '');
  }
}

/** A member of staff of the sandbox at the network's door: each request carries a fresh token, each change a key of its own. */
export class Actor {
  readonly username: string;
  readonly organisationId: string;
  readonly #baseUrl: string;
  readonly #tokens: TokenSource;

  constructor(options: { username: string; organisationId: string; baseUrl: string; tokens: TokenSource }) {
    this.username = options.username;
    this.organisationId = options.organisationId;
    this.#baseUrl = options.baseUrl;
    this.#tokens = options.tokens;
  }

  /** Reads, whatever the answer. */
  async look<T = Record<string, unknown>>(path: string): Promise<Answer<T>> {
    return await this.#send<T>('GET', path, undefined, {});
  }

  /** Reads what must be there. Waits and asks again where the network says that an event is still on its way. */
  async get<T = Record<string, unknown>>(path: string): Promise<Answer<T>> {
    return await this.#expect(`GET ${path}`, () => this.look<T>(path));
  }

  /** Changes something that must succeed. `on` is read first, for the version that the change is made against. */
  async change<T = Record<string, unknown>>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown, options: { on?: string } = {}): Promise<Answer<T>> {
    const key = randomUUID();
    return await this.#expect(`${method} ${path}`, async () => {
      const version = options.on ? (await this.get(options.on)).etag : undefined;
      return await this.#send<T>(method, path, body, { ...(method === 'POST' ? { 'idempotency-key': key } : {}), ...(version ? { 'if-match': version } : {}) });
    });
  }

  async #expect<T>(asked: string, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const untilMs = Date.now() + 30_000;
    for (;;) {
      const answer = await ask();
      if (answer.status < 300) return answer;
      const mayPass = answer.retryAfterSeconds !== undefined || answer.status === 412 || answer.status === 404;
      if (!mayPass || Date.now() > untilMs) throw new UnexpectedAnswer(asked, answer as Answer);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }

  async #send<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer<T>> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method, headers: { authorization: `Bearer ${await this.#tokens.token()}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }), signal: AbortSignal.timeout(30_000),
    });
    if (response.headers.get('amana-mode') !== 'sandbox') throw new Error(`${method} ${path} was answered without Amana-Mode: sandbox`);
    const text = await response.text();
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as T, etag: response.headers.get('etag') ?? undefined, retryAfterSeconds: retryAfter === null ? undefined : Number(retryAfter) };
  }
}

/** Signs staff in to a running network. */
export class NetworkClient {
  readonly baseUrl: string;
  readonly #issuerUrl: string;
  readonly #stateDir: string;

  constructor(options: { baseUrl: string; issuerUrl: string; stateDir: string }) {
    this.baseUrl = options.baseUrl;
    this.#issuerUrl = options.issuerUrl;
    this.#stateDir = options.stateDir;
  }

  async signIn(username: string, organisationId: string, options: { stepUp?: boolean } = {}): Promise<Actor> {
    const { sandboxPassword: password, stepUpCode } = await keepSandboxCredentials(this.#stateDir);
    const scope = 'care:read care:write directory:write audit:read operate:write report:read';
    const tokens = TokenSource.forStaff({ issuerUrl: this.#issuerUrl, username, password, scope, ...(options.stepUp ? { stepUpCode } : {}) });
    return new Actor({ username, organisationId, baseUrl: this.baseUrl, tokens });
  }

  /** Business time of the sandbox moves on to `to`; resolves when every deadline on the way has taken effect. */
  async moveClockTo(to: Date): Promise<void> {
    const url = `${this.baseUrl}/sandbox/clock`;
    const now = (await (await fetch(url)).json()) as { now: string };
    if (to.getTime() <= Date.parse(now.now)) return;
    const started = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ to: to.toISOString() }) });
    const { jobId } = (await started.json()) as { jobId: string };
    const untilMs = Date.now() + 120_000;
    for (;;) {
      const { jobs } = (await (await fetch(url)).json()) as { jobs: { jobId: string; done: boolean; undrained: string[] }[] };
      const job = jobs.find((candidate) => candidate.jobId === jobId);
      if (job?.done && job.undrained.length > 0) throw new Error(`Overdue and not handled within 60 s: ${job.undrained.join(', ')}`);
      if (job?.done) return;
      if (Date.now() > untilMs) throw new Error('The clock did not arrive within 120 s');
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
}

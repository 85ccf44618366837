import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenSource } from '@amana/local';
import type { Journal } from './journal.ts';

export interface Command {
  readonly service: string;
  /** `POST /v1/...` with `:names`. */
  readonly route: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body: object;
  /** The version that If-Match names; a creation has none. */
  readonly version?: number;
  readonly idempotencyKey: string;
}

export interface Answer {
  readonly outcome: 'acknowledged' | 'refused' | 'unanswered';
  readonly status: number;
  readonly code: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  readonly version: number | undefined;
}

/** How long callers go on asking for an answer; the campaign sets it once the network is whole again. */
export interface Patience {
  giveUpAtMs: number;
  /** Answers of 500: an error nobody expected. They are tried again and counted. */
  serverErrors: number;
}

const requestTimeoutMs = 10_000;
const attemptsMax = 500;
/** The request may have been carried out, or could not be: the same key makes asking again harmless. */
const tryAgain = new Set([0, 401, 429, 500, 502, 503, 504]);

/** A partner system: it repeats a command under the same key until it has an answer, and notes what it was told. */
export class Caller {
  readonly client: string;
  readonly organisationId: string;
  readonly #options: { url: string; tokens: TokenSource; journal: Journal; run: number; patience: Patience };

  constructor(who: { client: string; organisationId: string }, options: { url: string; tokens: TokenSource; journal: Journal; run: number; patience: Patience }) {
    this.client = who.client;
    this.organisationId = who.organisationId;
    this.#options = options;
  }

  /** Sends a command until it is answered; what it answers stands in the journal before it is returned. */
  async command(command: Command): Promise<Answer> {
    const { journal, run, patience } = this.#options;
    let answer: Answer = { outcome: 'unanswered', status: 0, code: undefined, body: {}, version: undefined };
    let attempts = 0;
    while (attempts < attemptsMax && Date.now() < patience.giveUpAtMs) {
      attempts += 1;
      answer = await this.#once('POST', pathOf(command), command);
      if (answer.status === 500) patience.serverErrors += 1;
      if (answer.outcome !== 'unanswered') break;
      await delay(Math.min(50 * attempts, 500));
    }
    const { outcome, status, code, version } = answer;
    const { referralId, holdId, siteId } = answer.body;
    const made = command.service === 'shelter' ? holdId ?? siteId : referralId;
    journal.append({
      kind: 'command', run, requestId: randomUUID(), idempotencyKey: command.idempotencyKey, client: this.client, service: command.service, route: command.route, outcome, status, code,
      stream: outcome === 'acknowledged' ? String(made) : undefined, version: outcome === 'acknowledged' ? version : undefined, attempts,
    });
    return answer;
  }

  /** Looks at a referral once; undefined when it is not shown now. */
  async look(referralId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const answer = await this.#once('GET', `/v1/referral/referrals/${referralId}`);
    if (answer.outcome !== 'acknowledged') return undefined;
    this.#options.journal.append({ kind: 'look', run: this.#options.run, service: 'referral', referralId, version: answer.body.version as number });
    return answer.body;
  }

  /** Any other request, once. */
  get(path: string): Promise<Answer> {
    return this.#once('GET', path);
  }

  /** Any other command, once, and not in the journal of commands. */
  post(path: string, body: object, idempotencyKey: string): Promise<Answer> {
    return this.#once('POST', path, { body, idempotencyKey });
  }

  async #once(method: 'GET' | 'POST', path: string, command?: Pick<Command, 'body' | 'idempotencyKey' | 'version'>): Promise<Answer> {
    try {
      const token = await this.#options.tokens.token();
      const response = await fetch(`${this.#options.url}${path}`, {
        method, signal: AbortSignal.timeout(requestTimeoutMs),
        headers: {
          authorization: `Bearer ${token}`,
          ...(command ? { 'content-type': 'application/json', 'idempotency-key': command.idempotencyKey } : {}),
          ...(command?.version === undefined ? {} : { 'if-match': `"${command.version}"` }),
        },
        ...(command ? { body: JSON.stringify(command.body) } : {}),
      });
      // An answer cut short is no answer: the body is read before anything is believed.
      const body = await response.json() as Record<string, unknown>;
      const outcome = response.ok ? 'acknowledged' : tryAgain.has(response.status) ? 'unanswered' : 'refused';
      return { outcome, status: response.status, code: typeof body.code === 'string' ? body.code : undefined, body, version: typeof body.version === 'number' ? body.version : undefined };
    } catch {
      return { outcome: 'unanswered', status: 0, code: undefined, body: {}, version: undefined };
    }
  }
}

function pathOf({ route, params = {} }: Command): string {
  return route.replace('POST ', '').replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (!value) throw new Error(`${route} needs :${name}`);
    return value;
  });
}

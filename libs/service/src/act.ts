import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Action, Caller } from '@amana/access';
import { type FieldError, Refusal } from '@amana/contracts';
import type { Role } from '@amana/contracts';
import type { z } from 'zod';
import { allowOf, type Route, routeOf } from './route.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const maxDepth = 64;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The parts of Fastify's request and reply that an act needs. */
export interface HttpRequest {
  readonly id: string;
  readonly url: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly params: Record<string, string>;
  readonly query: Record<string, unknown>;
  readonly body: Buffer | undefined;
  caller?: Caller;
  role?: Role;
}

export interface HttpReply {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

/**
 * One request as a slice sees it: who acts, on what, with which preconditions. The body is parsed only when asked for,
 * because whoever may not act must not learn whether the body was right.
 */
export class Act<Body = unknown, Query = unknown> {
  readonly route: Route;
  readonly action: Action;
  readonly caller: Caller;
  readonly role: Role;
  readonly #request: HttpRequest;
  readonly #reply: HttpReply;

  constructor(options: { route: Route; action: Action; request: HttpRequest; reply: HttpReply }) {
    this.route = options.route;
    this.action = options.action;
    this.#request = options.request;
    this.#reply = options.reply;
    this.caller = options.request.caller!;
    this.role = options.request.role!;
  }

  get requestId(): string {
    return this.#request.id;
  }

  /** The caller's own organisation. */
  get organisationId(): string {
    return this.caller.organisationId;
  }

  get params(): Readonly<Record<string, string>> {
    return this.#request.params;
  }

  /** A path parameter that is an id. What is not an id cannot exist: refuses `not-found`. */
  id(name: string): string {
    const value = this.#request.params[name];
    if (!value || !uuid.test(value)) throw new Refusal('not-found');
    return value;
  }

  /** The parsed query. Refuses `validation-failed`, naming each field. */
  get query(): Query {
    requireStorable(this.#request.query);
    return this.route.query ? (check(this.route.query, this.#request.query) as Query) : ({} as Query);
  }

  /** The parsed body. Refuses `bad-request` or `validation-failed`, naming each field. */
  get body(): Body {
    if (!this.route.body) return {} as Body;
    return check(this.route.body, parseJson(this.#request)) as Body;
  }

  /** What the body and the path ask for, as bytes: the same key must come with the same. */
  get fingerprint(): string {
    return `${this.#request.url.split('?')[0]}\n${this.#request.body?.toString('latin1') ?? ''}`;
  }

  /** The Idempotency-Key that each POST needs; undefined on PUT and DELETE, which may be repeated. */
  get idempotencyKey(): string | undefined {
    if (this.route.method !== 'POST') return undefined;
    const key = this.#request.headers['idempotency-key'];
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) throw new Refusal('idempotency-key-missing', { errors: [{ pointer: 'Idempotency-Key', code: 'required' }] });
    return key;
  }

  /** Refuses a change of version `version` unless If-Match names it: 428 when missing, 412 when stale. */
  requireVersion(version: number): void {
    const header = this.#request.headers['if-match'];
    if (header === undefined) throw new Refusal('precondition-required', { errors: [{ pointer: 'If-Match', code: 'required' }] });
    if (header !== etagOf(version)) throw new Refusal('version-stale', { errors: [{ pointer: 'If-Match', code: 'stale' }] });
  }

  header(name: string, value: string): void {
    this.#reply.header(name, value);
  }

  status(code: number): void {
    this.#reply.status(code);
  }
}

/** The strong ETag of a stream's version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The parameter decorator that hands a handler its act. */
export const TheAct = createParamDecorator((_data: unknown, context: ExecutionContext): Act => {
  const http = context.switchToHttp();
  const handler = context.getHandler();
  return new Act({ route: routeOf(handler)!, action: allowOf(handler) as Action, request: http.getRequest<HttpRequest>(), reply: http.getResponse<HttpReply>() });
});

function parseJson(request: HttpRequest): unknown {
  if (!request.body || request.body.length === 0) return {};
  let value: unknown;
  try {
    // JSON is UTF-8: bytes that are none would be altered without a word, and a name with them.
    value = JSON.parse(utf8.decode(request.body));
  } catch {
    throw new Refusal('bad-request', { errors: [{ pointer: '', code: 'not-json' }] });
  }
  requireStorable(value);
  return value;
}

/** Refuses what no column can keep: NUL characters, halves of surrogate pairs, and nesting that nobody can read. */
function requireStorable(value: unknown): void {
  let level: [pointer: string, value: unknown][] = [['', value]];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new Refusal('bad-request', { errors: [{ pointer: '', code: 'too-deep' }] });
    const next: typeof level = [];
    for (const [pointer, entry] of level) {
      if (typeof entry === 'string' && !isStorable(entry)) throw new Refusal('validation-failed', { errors: [{ pointer, code: 'invalid-characters' }] });
      if (typeof entry !== 'object' || entry === null) continue;
      for (const [key, child] of Object.entries(entry)) {
        if (!isStorable(key)) throw new Refusal('validation-failed', { errors: [{ pointer: `${pointer}/?`, code: 'invalid-characters' }] });
        next.push([`${pointer}/${pointerPart(key)}`, child]);
      }
    }
    level = next;
  }
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function pointerPart(key: string): string {
  return /^\d{1,6}$/.test(key) ? key : unknownKey(key);
}

/** A value that fits the schema, or a refusal that names each field by its JSON pointer and code. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 50).flatMap((issue): FieldError[] => {
    const pointer = issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, 20).map((key) => ({ pointer: `${pointer}/${unknownKey(key)}`, code: 'unknown-field' }));
    return [{ pointer, code: codeOf(issue) }];
  });
  throw new Refusal('validation-failed', { errors });
}

/** A key that nobody declared is the sender's own text: it is not repeated unless it looks like a field's name. */
function unknownKey(key: string): string {
  return /^[a-zA-Z_]\w{0,40}$/.test(key) ? key : '?';
}

function codeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom' && typeof issue.params?.code === 'string') return issue.params.code;
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'required';
  return issue.code.replaceAll('_', '-');
}

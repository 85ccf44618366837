import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { faultsOf, type Schema } from './json-schema.ts';
import { type KeyFile, Tokens } from './tokens.ts';

const retryWithinMs = 20_000;
const requestTimeoutMs = 15_000;

interface Parameter { readonly in: 'path' | 'query' | 'header'; readonly name: string; readonly required?: boolean; readonly schema: Schema }
interface Content { readonly [mediaType: string]: { readonly schema: Schema } }

/** One operation as its document declares it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly headers?: object; readonly content?: Content }>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly 'x-amana-action'?: string;
}

/** Where an operation was found: all that a request is built from. */
export interface Found { readonly method: string; readonly template: string; readonly operation: Operation; readonly document: object }

interface Document { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }

export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer { readonly status: number; readonly body: Record<string, unknown>; readonly etag: string | undefined }

/** A documented refusal. */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(found: Found, status: number, problem: { code: string; errors: readonly { pointer: string; code: string }[] }) {
    super(`${found.operation.operationId} was refused: ${status} ${problem.code} ${problem.errors.map(({ pointer, code }) => `${pointer} ${code}`).join(', ')}`);
    this.name = 'Refused';
    this.code = problem.code;
    this.status = status;
  }
}

/** A network that is known by its documents alone: whatever is sent and answered is held against them. */
export class Api {
  readonly organisationId: string;
  readonly #baseUrl: string;
  readonly #documents: readonly Document[];
  readonly #tokens: Tokens;

  private constructor(options: { baseUrl: string; documents: readonly Document[]; key: KeyFile; tokens: Tokens }) {
    this.organisationId = options.key.organisationId;
    this.#baseUrl = options.baseUrl;
    this.#documents = options.documents;
    this.#tokens = options.tokens;
  }

  /** Opens the network named on the command line: `--base-url URL --key-file FILE`. */
  static async fromCommandLine(): Promise<Api> {
    const { values } = parseArgs({ options: { 'base-url': { type: 'string' }, 'key-file': { type: 'string' } } });
    const { 'base-url': baseUrl, 'key-file': keyFile } = values;
    if (!baseUrl || !keyFile) throw new Error('Say --base-url URL --key-file FILE');
    // Whatever else the file holds is not asked for.
    const { client_id, privateJwk, organisationId } = JSON.parse(await readFile(keyFile, 'utf8')) as KeyFile;
    const listing = await readJson(`${baseUrl}/v1/openapi.json`) as { documents: readonly { url: string }[]; tokenUrl: string };
    const documents = await Promise.all(listing.documents.map(({ url }) => readJson(new URL(url, baseUrl).href))) as Document[];
    const key = { client_id, privateJwk, organisationId };
    return new Api({ baseUrl, documents, key, tokens: new Tokens(key, listing.tokenUrl) });
  }

  /** The one operation with this method whose path ends so, `{}` standing for a parameter: `find('post', 'cases/{}/needs')`. */
  find(method: string, resource: string): Found {
    const found = this.#all().filter((candidate) => candidate.method === method && `/${candidate.template.replaceAll(/\{\w+\}/g, '{}')}`.endsWith(`/${resource}`));
    if (found.length !== 1) throw new Error(`The documents have ${found.length} operations for ${method} ${resource}: ${found.map(({ template }) => template).join(', ')}`);
    return found[0]!;
  }

  /** Every act that the documents name. */
  get actions(): ReadonlySet<string> {
    return new Set(this.#all().flatMap(({ operation }) => operation['x-amana-action'] ?? []));
  }

  /** Does what the documents declare under this method and resource. Asks again while the network says that it may pass. Throws Refused. */
  async call(method: string, resource: string, request: Request = {}): Promise<Answer> {
    return await this.#send(this.find(method, resource), request);
  }

  /** Reads what a link in an answer leads to. */
  async follow(link: unknown): Promise<Answer> {
    for (const found of this.#all().filter((candidate) => candidate.method === 'get')) {
      const values = new RegExp(`^${found.template.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(String(link))?.groups;
      if (values) return await this.#send(found, { path: values });
    }
    throw new Error(`The documents declare nothing at ${String(link)}`);
  }

  async #send(found: Found, request: Request): Promise<Answer> {
    const untilMs = Date.now() + retryWithinMs;
    const idempotencyKey = randomUUID();
    for (;;) {
      try {
        return await this.#sendOnce(found, request, idempotencyKey);
      } catch (error) {
        const waitMs = error instanceof Retry ? error.afterMs : error instanceof Refused && error.status === 412 ? 0 : undefined;
        if (waitMs === undefined) throw error;
        if (Date.now() + waitMs > untilMs) throw error instanceof Retry ? error.refused : error;
        await wait(waitMs);
      }
    }
  }

  async #sendOnce(found: Found, request: Request, idempotencyKey: string): Promise<Answer> {
    const { operation, document } = found;
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
    const scopes = operation.security.flatMap((requirement) => Object.values(requirement).flat());
    if (scopes.length > 0) headers.authorization = `Bearer ${await this.#tokens.withScopes(scopes)}`;
    for (const { name, required } of (operation.parameters ?? []).filter((parameter) => parameter.in === 'header')) {
      if (name === 'Idempotency-Key') headers[name] = idempotencyKey;
      else if (name === 'If-Match') headers[name] = await this.#versionFor(found, request);
      else if (required) throw new Error(`${operation.operationId} wants the header ${name}, and its document does not say what for`);
    }
    const schema = operation.requestBody?.content['application/json']?.schema;
    if ((schema === undefined) !== (request.body === undefined)) throw new Error(`${operation.operationId} takes ${schema === undefined ? 'no' : 'a'} body`);
    if (schema !== undefined) {
      demand(faultsOf(request.body, schema, { root: document }), `The body of ${operation.operationId}`);
      headers['content-type'] = 'application/json';
    }
    const response = await fetch(this.#urlOf(found, request), {
      method: found.method.toUpperCase(), headers, signal: AbortSignal.timeout(requestTimeoutMs), ...(schema === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    return await read(found, response);
  }

  /** The version that a change is made against: the ETag of the nearest thing on the way to it that is answered with one. */
  async #versionFor(found: Found, request: Request): Promise<string> {
    const readable = this.#all().filter(({ method, document, operation, template }) => (
      method === 'get' && document === found.document && 'etag' in (operation.responses['200']?.headers ?? {}) && `${found.template}/`.startsWith(`${template}/`)
    ));
    const item = readable.toSorted((one, other) => other.template.length - one.template.length)[0];
    if (!item) throw new Error(`${found.operation.operationId} wants If-Match, and the documents do not say where its ETag is read`);
    const names = [...item.template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const { etag } = await this.#send(item, { path: Object.fromEntries(names.map((name) => [name, request.path?.[name] ?? ''])) });
    if (!etag) throw new Error(`${item.operation.operationId} was answered without an ETag`);
    return etag;
  }

  #urlOf({ template, operation, document }: Found, { path = {}, query = {} }: Request): string {
    const declared = operation.parameters ?? [];
    for (const [kind, values] of [['path', path], ['query', query]] as const) {
      const known = declared.filter((parameter) => parameter.in === kind);
      const missing = known.filter(({ name, required }) => required && !Object.hasOwn(values, name)).map(({ name }) => `${name} is missing`);
      const unknown = Object.keys(values).filter((name) => !known.some((parameter) => parameter.name === name)).map((name) => `${name} is not declared`);
      const texts = known.filter(({ name, schema }) => Object.hasOwn(values, name) && typeof schema === 'object' && schema.type === 'string');
      const faults = texts.flatMap(({ name, schema }) => faultsOf(values[name], schema, { root: document, at: `/${name}` }));
      demand([...missing, ...unknown, ...faults], `The ${kind} of ${operation.operationId}`);
    }
    const url = new URL(template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name]!)), this.#baseUrl);
    url.search = new URLSearchParams(query).toString();
    return url.href;
  }

  #all(): Found[] {
    return this.#documents.flatMap((document) => Object.entries(document.paths).flatMap(([template, methods]) => Object.entries(methods).map(([method, operation]) => ({ method, template, operation, document }))));
  }
}

/** The network asked to be asked again. */
class Retry extends Error {
  readonly refused: Refused;
  readonly afterMs: number;

  constructor(refused: Refused, afterMs: number) {
    super(refused.message);
    this.refused = refused;
    this.afterMs = afterMs;
  }
}

/** The answer, once it has been held against the document. Throws Refused, or Retry where the answer names a time. */
async function read(found: Found, response: Response): Promise<Answer> {
  const { operation, document } = found;
  const name = `${operation.operationId} (${response.status})`;
  if (response.headers.get('amana-mode') !== 'sandbox') throw new Error(`${name} was answered without Amana-Mode: sandbox`);
  const declared = operation.responses[String(response.status)];
  if (!declared) throw new Error(`${name}: the document does not declare this status`);
  const mediaType = response.headers.get('content-type')?.split(';')[0] ?? 'none';
  const schema = declared.content?.[mediaType]?.schema;
  if (!schema) throw new Error(`${name}: the document does not declare ${mediaType}`);
  const body = await response.json() as Record<string, unknown>;
  demand(faultsOf(body, schema, { root: document }), `The answer of ${name}`);
  if (response.ok) return { status: response.status, body, etag: response.headers.get('etag') ?? undefined };
  const problem = body as unknown as { code: string; errors: readonly { pointer: string; code: string }[] };
  if (!declared.description.includes(`\`${problem.code}\``)) throw new Error(`${name}: the document does not tell of ${problem.code}`);
  const refused = new Refused(found, response.status, problem);
  const retryAfter = response.headers.get('retry-after');
  throw retryAfter === null ? refused : new Retry(refused, Number(retryAfter) * 1000);
}

/** Looks again until something is found, at most 25 s. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const untilMs = Date.now() + 25_000; Date.now() < untilMs; await wait(150)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`Not seen within 25 s: ${what}`);
}

async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
  if (!response.ok) throw new Error(`${url} was answered ${response.status}`);
  return await response.json();
}

function demand(faults: readonly string[], what: string): void {
  if (faults.length > 0) throw new Error(`${what} does not fit the document: ${faults.join('; ')}`);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

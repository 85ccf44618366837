import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export type Schema = Readonly<Record<string, unknown>>;
export interface Parameter { readonly in: 'path' | 'query' | 'header'; readonly name: string; readonly required?: boolean; readonly schema: Schema }
interface Response { readonly description: string; readonly headers?: Readonly<Record<string, unknown>>; readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }
interface Declared {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, Response>>;
  readonly 'x-amana-action'?: string;
  readonly 'x-amana-roles'?: readonly string[];
}
interface Document { readonly paths: Readonly<Record<string, Readonly<Record<string, Declared>>>> }

/** One operation of a served document, with the document's own checks of what goes in and what comes out. */
export class Operation {
  readonly service: string;
  readonly method: string;
  readonly template: string;
  readonly declared: Declared;
  readonly document: Document;
  readonly #accepts: ValidateFunction | undefined;
  readonly #answers: ReadonlyMap<string, ValidateFunction>;

  constructor(options: { service: string; method: string; template: string; document: Document; ajv: Ajv2020 }) {
    const { service, method, template, document, ajv } = options;
    this.service = service;
    this.method = method.toUpperCase();
    this.template = template;
    this.document = document;
    this.declared = document.paths[template]![method]!;
    const at = `${service}#/paths/${pointerPart(template)}/${method}`;
    this.#accepts = this.declared.requestBody && ajv.compile({ $ref: `${at}/requestBody/content/${pointerPart('application/json')}/schema` });
    this.#answers = new Map(Object.entries(this.declared.responses).flatMap(([status, { content }]) => Object.keys(content ?? {}).map((mediaType): [string, ValidateFunction] => (
      [`${status} ${mediaType}`, ajv.compile({ $ref: `${at}/responses/${status}/content/${pointerPart(mediaType)}/schema` })]
    ))));
  }

  get name(): string {
    return `${this.method} ${this.template}`;
  }

  get roles(): readonly string[] {
    return this.declared['x-amana-roles'] ?? [];
  }

  get isPublic(): boolean {
    return this.declared['x-amana-action'] === undefined;
  }

  get bodySchema(): Schema | undefined {
    return this.declared.requestBody?.content['application/json'].schema;
  }

  parameters(kind: Parameter['in']): readonly Parameter[] {
    return (this.declared.parameters ?? []).filter((parameter) => parameter.in === kind);
  }

  /** Whether it asks for this header. */
  wants(header: string): boolean {
    return this.parameters('header').some(({ name }) => name === header);
  }

  /** Something may be changed by it. A POST without an Idempotency-Key asks a question that must not stand in a URL. */
  get changes(): boolean {
    return this.method !== 'GET' && (this.method !== 'POST' || this.wants('Idempotency-Key'));
  }

  /** Whether the document's schema takes this body. */
  accepts(body: unknown): boolean {
    return this.#accepts?.(body) ?? body === undefined;
  }

  /** The headers that its document promises with this status, where an answer always carries them. */
  promised(status: number): readonly string[] {
    return Object.keys(this.declared.responses[String(status)]?.headers ?? {}).filter((name) => name !== 'retry-after' && name !== 'link');
  }

  /** What the document says against an answer, or undefined where it has declared it so. */
  faultOf(status: number, mediaType: string, body: unknown): string | undefined {
    const declared = this.declared.responses[String(status)];
    if (!declared) return `the document does not declare ${status}`;
    const check = this.#answers.get(`${status} ${mediaType}`);
    // An answer without a declared shape, such as the document itself.
    if (!check) return declared.content ? `the document does not declare ${mediaType} for ${status}` : undefined;
    if (!check(body)) return `the answer does not fit its schema: ${check.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`).join(', ')}`;
    const { code } = body as { code?: string };
    return status >= 400 && !declared.description.includes(`\`${code}\``) ? `the document does not tell of ${code}` : undefined;
  }
}

/** Every operation of every document that the network lists. */
export async function readOperations(baseUrl: string): Promise<Operation[]> {
  const { documents } = await readJson(`${baseUrl}/v1/openapi.json`) as { documents: { service: string; url: string }[] };
  const ajv = new Ajv2020({ strict: false, validateFormats: false, strictNumbers: true, ownProperties: true });
  const all: Operation[] = [];
  for (const { service, url } of documents) {
    const document = await readJson(baseUrl + url) as Document;
    ajv.addSchema(document, service);
    for (const [template, methods] of Object.entries(document.paths)) for (const method of Object.keys(methods)) all.push(new Operation({ service, method, template, document, ajv }));
  }
  return all;
}

/** A kept-alive connection may be closed at the very moment it is used again: a read is then sent once more. */
async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url).catch(() => fetch(url));
  return await response.json();
}

function pointerPart(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** A message as a bus delivers it: nothing in it has been checked yet. */
export interface RawMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer | null;
}

/** The context attributes of a CloudEvent, extensions included, by their names without a prefix. */
export interface CloudEvent {
  readonly attributes: Readonly<Record<string, string>>;
  /** The parsed JSON; undefined if the message says that it is no JSON. */
  readonly data: unknown;
}

/** Why a message is no event; `reason` is a stable code that carries nothing of the message. */
export class DecodeError {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const required = ['specversion', 'id', 'source', 'type'] as const;

/**
 * Reads a message by the CloudEvents 1.0 Kafka protocol binding: binary mode (`ce_` headers), or structured mode
 * (`application/cloudevents+json`), which a partner's client may choose.
 */
export function readCloudEvent(message: Pick<RawMessage, 'headers' | 'value'>): CloudEvent | DecodeError {
  const contentType = message.headers['content-type'] ?? '';
  if (!message.value) return new DecodeError('no-data');
  const structured = /^application\/cloudevents\+json\b/i.test(contentType);
  const parsed = structured ? readStructured(message.value) : readBinary(message.headers, message.value, contentType);
  if (parsed instanceof DecodeError) return parsed;
  const missing = required.find((name) => !parsed.attributes[name]);
  if (missing) return new DecodeError(`attribute-missing:${missing}`);
  if (parsed.attributes.specversion !== '1.0') return new DecodeError('specversion-unknown');
  return parsed;
}

/** The event's type, without reading the body where the headers already say it; undefined where there is none. */
export function typeOf(message: Pick<RawMessage, 'headers' | 'value'>): string | undefined {
  if (message.headers.ce_type !== undefined) return message.headers.ce_type;
  const event = readCloudEvent(message);
  return event instanceof DecodeError ? undefined : event.attributes.type;
}

/** Attributes as Kafka headers; absent ones are left out. */
export function toHeaders(attributes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    headers[name === 'datacontenttype' ? 'content-type' : `ce_${name}`] = value;
  }
  return headers;
}

function readBinary(headers: RawMessage['headers'], value: Buffer, contentType: string): CloudEvent | DecodeError {
  const attributes: Record<string, string> = {};
  for (const [name, text] of Object.entries(headers)) if (name.startsWith('ce_')) attributes[name.slice(3)] = text;
  if (contentType) attributes.datacontenttype = contentType;
  if (contentType && !/^application\/(json|[\w.+-]+\+json)\b/i.test(contentType)) return { attributes, data: undefined };
  const data = parseJson(value);
  return data instanceof DecodeError ? data : { attributes, data: data.json };
}

function readStructured(value: Buffer): CloudEvent | DecodeError {
  const parsed = parseJson(value);
  if (parsed instanceof DecodeError) return parsed;
  if (typeof parsed.json !== 'object' || parsed.json === null || Array.isArray(parsed.json)) return new DecodeError('envelope-not-an-object');
  const { data, ...rest } = parsed.json as Record<string, unknown>;
  const attributes: Record<string, string> = {};
  for (const [name, attribute] of Object.entries(rest)) {
    if (typeof attribute === 'string') attributes[name] = attribute;
    else if (typeof attribute === 'number' || typeof attribute === 'boolean') attributes[name] = String(attribute);
  }
  return { attributes, data };
}

function parseJson(value: Buffer): { json: unknown } | DecodeError {
  try {
    return { json: JSON.parse(value.toString('utf8')) as unknown };
  } catch {
    return new DecodeError('not-json');
  }
}

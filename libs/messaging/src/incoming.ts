import { createHash } from 'node:crypto';
import { publishedEvents } from '@amana/contracts';
import { maxPayloadBytes } from '@amana/persistence';
import { DecodeError, type RawMessage, typeOf } from './cloud-event.ts';
import { decode, type ReceivedEvent } from './codec.ts';

/** A message as the inbox sees it: something to handle, or something that can never be handled. */
export type Incoming = { readonly message: RawMessage; readonly eventId: string; readonly key: string }
  & ({ readonly event: ReceivedEvent } | { readonly refused: string });

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * What a consumer that handles `types` makes of a message; undefined if it is not concerned. A version of a handled
 * event that no contract here knows is refused, not skipped: skipping it would lose a fact that this consumer acts on.
 */
export function readIncoming(message: RawMessage, types: ReadonlySet<string>): Incoming | undefined {
  const type = typeOf(message);
  if (type !== undefined && !types.has(type)) {
    if (publishedEvents.has(type) || !handlesAnotherVersion(type, types)) return undefined;
    return { message, eventId: eventIdOf(message), key: keyOf(message), refused: 'version-unknown' };
  }
  const decoded = decode(message);
  if (decoded instanceof DecodeError) return { message, eventId: eventIdOf(message), key: keyOf(message), refused: decoded.reason };
  return { message, eventId: decoded.id, key: keyOf(message), event: decoded };
}

function handlesAnotherVersion(type: string, types: ReadonlySet<string>): boolean {
  const [, name] = /^(.+)\.v\d+$/.exec(type) ?? [];
  return name !== undefined && [...types].some((handled) => handled.startsWith(`${name}.v`));
}

/** The event's id, or for a message that has none an id made of its place: the same message always gets the same one. */
function eventIdOf(message: RawMessage): string {
  const id = message.headers.ce_id;
  if (id !== undefined && uuid.test(id)) return id.toLowerCase();
  const hex = createHash('sha256').update(`${message.topic}\n${message.partition}\n${message.offset}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A message without a key is a key of its own, so that a bad one holds up nobody. */
function keyOf(message: RawMessage): string {
  const key = message.key ?? message.headers.ce_partitionkey;
  return key ? storable(key).slice(0, 500) : `${message.partition}:${message.offset}`;
}

/** What is kept of a body for a later try. An oversize one is not kept: it can be read again at its place on the bus. */
export function keptBody(message: RawMessage): Buffer {
  const body = message.value ?? Buffer.alloc(0);
  return body.byteLength > maxPayloadBytes ? Buffer.alloc(0) : body;
}

const maxHeaders = 64;
const maxHeaderLength = 2_048;

/** What is kept of the headers: all that a well-formed message has, and of any other no more than a row should hold. */
export function keptHeaders(message: RawMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(message.headers).slice(0, maxHeaders)
    .map(([name, value]) => [storable(name).slice(0, 200), storable(value).slice(0, maxHeaderLength)]));
}

/** The database's text cannot hold a zero character. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

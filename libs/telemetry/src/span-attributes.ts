import type { Attributes } from '@opentelemetry/api';
import { filterFields } from './safe-values.ts';
import type { KindTypes, ValueKind } from './safe-values.ts';

/**
 * Every attribute a span may carry. Query texts, URLs, headers, addresses, message keys and messages of errors are not
 * in it, whatever an instrumentation records. No id of a case, person, place or referral: a trace tells who worked when.
 */
const spanAttributes = {
  'http.request.method': 'code',
  'http.response.status_code': 'number',
  'http.route': 'route',
  'error.type': 'error-name',
  'db.system.name': 'code',
  'db.namespace': 'code',
  /** The statement's name, never its text. */
  'db.postgresql.plan': 'code',
  'messaging.system': 'code',
  'messaging.destination.name': 'code',
  'messaging.destination.partition.id': 'number',
  'messaging.operation.name': 'code',
  'messaging.operation.type': 'code',
  'messaging.batch.message_count': 'number',
  'messaging.kafka.offset': 'number',
  'amana.action': 'code',
  'amana.attempt': 'number',
  'amana.consumer': 'code',
  'amana.count': 'number',
  'amana.decision': 'code',
  'amana.due.kind': 'code',
  'amana.duplicate': 'flag',
  'amana.event.id': 'id',
  'amana.event.type': 'code',
  'amana.outcome': 'code',
  'amana.request.id': 'id',
  'amana.service': 'code',
} as const satisfies Record<string, ValueKind>;

type SpanAttributeTable = typeof spanAttributes;

export type SpanAttributes = {
  readonly [Name in keyof SpanAttributeTable]?: Exclude<KindTypes[SpanAttributeTable[Name]], bigint | Date> | undefined;
};

/** `GET /v1/referral/referrals/:id`, `pg.query:append-events amana_intake`, `process referral.accepted.v1`. */
const SPAN_NAME = /^[A-Za-z][\w.:/*-]*(?: [\w.:/*-]+)?$/;
const MAX_NAME_CHARS = 160;

/** The attributes that may leave the process. */
export function allowedAttributes(attributes: Attributes): Attributes {
  return filterFields(spanAttributes, attributes).kept as Attributes;
}

/** The name itself when it is made of codes, else `unnamed`: a name is an attribute that everyone forgets. */
export function allowedSpanName(name: string): string {
  return name.length <= MAX_NAME_CHARS && SPAN_NAME.test(name) ? name : 'unnamed';
}

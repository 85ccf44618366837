/**
 * What may leave a process as telemetry: ids, codes, templates and numbers. Each field, attribute and label declares
 * one of these kinds, and a value of another shape is dropped: a sentence, a name, an address or a phone number has none.
 */
export type ValueKind = 'id' | 'code' | 'error-name' | 'route' | 'number' | 'flag' | 'time';

export interface KindTypes {
  readonly id: string;
  readonly code: string;
  readonly 'error-name': string;
  readonly route: string;
  /** Digits in a string count too: an offset is a 64-bit number. */
  readonly number: number | bigint | string;
  readonly flag: boolean;
  readonly time: string | Date;
}

/** UUID, tag (22), thumbprint (43), hex of 16, 32 or 64 digits, or a server's own request counter. */
const ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{22}|[\w-]{43}|[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64}|req-[0-9a-z]{1,12})$/i;
/** `referral.accepted.v1`, `on-bed-held`, `no_capacity`; `GET`, `SIGTERM`, `ECONNREFUSED`; an SQLSTATE. */
const CODE = /^(?:[a-z][a-z0-9]*(?:[-._:][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[0-9][0-9A-Z]{4})$/;
/** A class of error (`KafkaJSConnectionError`), a code, or an HTTP status. */
const ERROR_NAME = /^(?:_?[A-Z]\w*|[1-5]\d\d)$/;
/** Literal segments and `:parameters` only: a path that was really asked for has an id in it, and is refused. */
const ROUTE = /^(?:\/(?:[a-z][a-z0-9.-]*|:[a-zA-Z]+|\*)){1,12}\/?$|^\/$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const DIGITS = /^-?\d{1,19}$/;
const MAX_CHARS = 96;
const MAX_SEGMENT = /[^/]{33}/;

/** Whether a value has the declared shape. Never throws. */
export function isSafe(kind: ValueKind, value: unknown): boolean {
  if (kind === 'flag') return typeof value === 'boolean';
  if (kind === 'number') return isNumeric(value);
  if (kind === 'time' && isDate(value)) return true;
  if (typeof value !== 'string' || value.length > MAX_CHARS) return false;
  switch (kind) {
    case 'id':
      return ID.test(value);
    case 'code':
      return CODE.test(value);
    case 'error-name':
      return ERROR_NAME.test(value) || CODE.test(value);
    case 'route':
      return ROUTE.test(value) && !MAX_SEGMENT.test(value);
    case 'time':
      return TIME.test(value);
  }
}

export interface Filtered {
  readonly kept: Record<string, unknown>;
  readonly dropped: number;
}

/** The fields that the table declares and whose value has the declared shape; counts what it left out. */
export function filterFields(table: Readonly<Record<string, ValueKind>>, fields: object): Filtered {
  const kept: Record<string, unknown> = {};
  let dropped = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind !== undefined && isSafe(kind, value)) kept[name] = typeof value === 'bigint' ? String(value) : value;
    else dropped += 1;
  }
  return { kept, dropped };
}

function isNumeric(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'bigint' || (typeof value === 'string' && DIGITS.test(value));
}

function isDate(value: unknown): boolean {
  return value instanceof Date && Number.isFinite(value.getTime());
}

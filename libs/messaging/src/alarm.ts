/** What an operator must know of at once. Ids, topics and codes only. */
export interface Alarm {
  readonly code: AlarmCode;
  readonly consumer?: string;
  readonly topic?: string;
  readonly key?: string;
  readonly eventId?: string;
  readonly subscriber?: string;
  /** A stable code of the cause, never an error's text: texts of databases carry values. */
  readonly reason?: string;
}

export type AlarmCode =
  /** A message cannot be handled; its key waits until an operator replays or skips it. */
  | 'dead-letter'
  /** A row of the event log cannot be sent; its key (or topic, if the topic is missing) waits, others flow. */
  | 'key-blocked'
  /** The log is another one than the cursor knows, or has gone back: restored, forked. Nothing is sent until `reseedCursor`. */
  | 'cursor-diverged'
  /** Something that is tried for ever keeps failing: the bus or a database is away. */
  | 'stalled'
  /** The broker no longer has what this consumer had not yet read. */
  | 'offset-reset'
  | 'consumer-crashed';

export type OnAlarm = (alarm: Alarm) => void;

/** A code for an error: the refusal's, the SQLSTATE or the broker's code, else the class of the error. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, type } = error as { code?: unknown; type?: unknown };
  if (error.name === 'Refusal') return `refusal:${String(code)}`;
  if (typeof type === 'string' && /^[A-Z_]{3,60}$/.test(type)) return type;
  if (typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code)) return code;
  return error.name;
}

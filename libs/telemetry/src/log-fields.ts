import type { KindTypes, ValueKind } from './safe-values.ts';

/**
 * Every field a log line may carry. No id of a person or a case, no place, no name, no text: a log is read by operators
 * and copied to machines that hold nothing else. A field that is missing here is a decision to take, not a bug.
 */
export const logFields = {
  actorTag: 'id', deliveryId: 'id', eventId: 'id', holdId: 'id', instanceId: 'id', messageId: 'id', organisationId: 'id',
  parkedId: 'id', recipientOrg: 'id', referralId: 'id', requestId: 'id', rowId: 'id', serviceId: 'id', spanId: 'id',
  stream: 'id', subjectTag: 'id', subscriptionId: 'id', traceId: 'id',

  action: 'code', aggregate: 'code', broker: 'code', bus: 'code', clientId: 'code', code: 'code', column: 'code', component: 'code', constraint: 'code',
  consumer: 'code', database: 'code', decision: 'code', eventType: 'code', from: 'code', group: 'code', kind: 'code',
  library: 'code', migration: 'code', mode: 'code', outcome: 'code', phase: 'code', policy: 'code', pool: 'code',
  producer: 'code', reason: 'code', role: 'code', rule: 'code', setting: 'code', signal: 'code', sqlState: 'code', state: 'code',
  step: 'code', table: 'code', to: 'code', topic: 'code', method: 'code', errorName: 'error-name', route: 'route',

  ageMs: 'number', attempt: 'number', attempts: 'number', batch: 'number', bytes: 'number', count: 'number', delayMs: 'number',
  duplicates: 'number', durationMs: 'number', exitCode: 'number', failures: 'number', generation: 'number', lag: 'number',
  lagMs: 'number', limit: 'number', offset: 'number', parked: 'number', partition: 'number', pending: 'number', pid: 'number',
  port: 'number', position: 'number', retryAfterSeconds: 'number', rows: 'number', seed: 'number', status: 'number',
  timeoutMs: 'number', uptimeMs: 'number', version: 'number', xid: 'number',

  cached: 'flag', duplicate: 'flag', enabled: 'flag', leader: 'flag', ready: 'flag', replay: 'flag', retryable: 'flag',
  started: 'flag', transient: 'flag',

  at: 'time', dueAt: 'time', since: 'time',
} as const satisfies Record<string, ValueKind>;

type LogFieldTable = typeof logFields;

export type LogFields = { readonly [Name in keyof LogFieldTable]?: KindTypes[LogFieldTable[Name]] | undefined } & {
  /** Whatever was thrown: its class, its code and the places in our code are logged, never its message. */
  readonly error?: unknown;
};

import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import { summariseError } from './error-summary.ts';
import { logFields } from './log-fields.ts';
import type { LogFields } from './log-fields.ts';
import { filterFields } from './safe-values.ts';

/** A kebab-case literal. A `string` that is only known at run time does not compile: it could hold anything. */
export type LogCode<Code extends string> = string extends Code
  ? never
  : Code extends `${string}${' ' | '_' | '.' | ':'}${string}` | `${'-'}${string}` | ''
    ? never
    : Code extends Lowercase<Code>
      ? Code
      : never;

export type LogMethod = <const Code extends string>(code: LogCode<Code>, fields?: LogFields) => void;

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** A logger whose lines all carry these fields too. */
  child(fields: LogFields): Logger;
}

export type LogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug';

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel | undefined;
  /** Where lines go, one JSON object each; standard output unless told. */
  readonly destination?: DestinationStream | undefined;
}

const KEBAB = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/**
 * A logger that takes ids, codes, numbers and flags. What happened is a code, never a sentence; a field that
 * `log-fields.ts` does not declare, or whose value is not of the declared kind, is left out and counted in
 * `droppedFields`. Lines written inside a span carry its trace id.
 */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: traceFields,
  };
  return loggerOver(destination === undefined ? pino(options) : pino(options, destination));
}

function loggerOver(sink: PinoLogger): Logger {
  const method = (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): LogMethod => {
    // Asked first: filtering costs more than all else, and debug lines are nearly always off.
    return (code, fields = {}) => {
      if (sink.isLevelEnabled(level)) write(sink, level, { code, fields });
    };
  };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child: (fields) => loggerOver(sink.child(safeFields(fields).line)),
  };
}

function write(sink: PinoLogger, level: 'debug' | 'info' | 'warn' | 'error' | 'fatal', entry: { code: string; fields: LogFields }): void {
  const { line, dropped } = safeFields(entry.fields);
  const known = entry.code.length <= 64 && KEBAB.test(entry.code);
  const droppedFields = known ? dropped : dropped + 1;
  sink[level](droppedFields === 0 ? line : { ...line, droppedFields }, known ? entry.code : 'log-code-refused');
}

function safeFields({ error, ...fields }: LogFields): { line: Record<string, unknown>; dropped: number } {
  const { kept, dropped } = filterFields(logFields, fields);
  if (error !== undefined) kept['error'] = summariseError(error);
  return { line: kept, dropped };
}

function traceFields(): object {
  const spanContext = trace.getActiveSpan()?.spanContext();
  return spanContext === undefined ? {} : { traceId: spanContext.traceId };
}

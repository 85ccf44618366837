import { createRequire } from 'node:module';
import { connect, isIP } from 'node:net';
import tls from 'node:tls';
import kafkajs, { type ISocketFactory, type Kafka, type KafkaConfig, type LogEntry, type RetryOptions, type SASLOptions } from 'kafkajs';

export interface KafkaSettings {
  readonly brokers: readonly string[];
  /** Shows in the broker's logs and quotas: the service's name. */
  readonly clientId: string;
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: SASLOptions;
  readonly onLog?: OnKafkaLog;
  /** How long a lost connection is tried again before the caller hears of it; `shortRetry` if absent. */
  readonly retry?: RetryOptions;
}

/** About five seconds: for who has something better to do than to wait, such as a relay that has to step down. */
export const shortRetry: RetryOptions = { initialRetryTime: 100, retries: 8, maxRetryTime: 5_000 };
/**
 * About two minutes: for a consumer. One that gives up comes back as a new member of its group, and the broker, back
 * again, lets it wait half a minute for the old one.
 */
export const patientRetry: RetryOptions = { initialRetryTime: 100, retries: 60, maxRetryTime: 2_000 };

export type KafkaLogLevel = 'error' | 'warn' | 'debug';

/** Takes the client's own words; they name topics, groups and brokers, never a message's content. */
export type OnKafkaLog = (level: KafkaLogLevel, text: string) => void;

/** The line the client writes when it silently starts a partition anew: nothing else tells of it. */
export const offsetResetText = 'Offset out of range, resetting to default offset';

const keepAliveAfterMs = 60_000;

/** What the client calls an error or a warning although it is the normal life of a group. */
const harmless = [
  /loading|not the correct coordinator|rebalanc|re-joining|resync group/i,
  /topic with this name already exists|Could not create topics/i,
  /does not host this topic-partition|no leader|leadership election/i,
  // The relay gives its own answer to a send that fails, and tries as long as it takes.
  /Limiting retries for the idempotent producer/i,
];

const levels: Readonly<Record<number, KafkaLogLevel>> = { 1: 'error', 2: 'warn' };

/** A client with the settings of the house. Topics are never created by using them. */
export function createKafka(settings: KafkaSettings): Kafka {
  patchRequestQueue();
  // The default partitioner is the one every other client uses; the notice about it is not worth a line.
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
  const onLog = settings.onLog ?? ((): void => {});
  return new kafkajs.Kafka({
    brokers: [...settings.brokers], clientId: settings.clientId,
    ...(settings.ssl !== undefined && { ssl: settings.ssl }), ...(settings.sasl !== undefined && { sasl: settings.sasl }),
    socketFactory: connectWithoutDelay, connectionTimeout: 3_000, requestTimeout: 15_000, retry: settings.retry ?? shortRetry,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry: LogEntry) => onLog(levelOf(entry), `${entry.namespace ? `${entry.namespace}: ` : ''}${entry.log.message}`),
  });
}

/** The client's own sockets keep Nagle's algorithm: a small request behind an unacknowledged one waits 40 ms for the peer's kernel. */
const connectWithoutDelay: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl ? tls.connect({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect) : connect({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveAfterMs);
};

function levelOf(entry: LogEntry): KafkaLogLevel {
  const said = `${entry.log.message} ${String((entry.log as { error?: unknown }).error ?? '')}`;
  return harmless.some((pattern) => pattern.test(said)) ? 'debug' : levels[entry.level] ?? 'debug';
}

interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  pending: unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * The client re-arms a timer of about 1 ms for ever on each connection, with nothing to send: 4 % of a core at rest.
 * There is no option for it. Nothing is lost by the change: each answer looks at the queue anyway.
 */
function patchRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  prototype.scheduleCheckPendingRequests = function schedule(): void {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, Math.max(this.throttledUntil - Date.now(), 10));
  };
}

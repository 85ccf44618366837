import { ServiceName } from '@amana/contracts';
import { z } from 'zod';

/**
 * What every service must be told. `production` does not exist as a mode: until trust and law are settled,
 * only fictional data may be kept, and a service that is told otherwise does not start.
 */
export const ServiceSettings = z.object({
  mode: z.literal('sandbox', { error: 'Only sandbox mode exists, with fictional data: set AMANA_MODE=sandbox' }),
  service: ServiceName,
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65535).default(0),
  appUrl: z.url(),
  relayUrl: z.url(),
  bus: z.enum(['kafka', 'postgres']),
  brokers: z.string().optional(),
  /** Postgres bus only: each producer's read-only URL. */
  busUrls: z.record(z.string(), z.url()).default({}),
  issuer: z.url(),
  jwksUrl: z.url(),
  audience: z.string().default('urn:amana:api'),
  keyringFile: z.string().min(1),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  clockOffsetMs: z.coerce.number().int().min(0).default(0),
  /** The holding organisations this instance serves; empty: all. */
  organisations: z.array(z.uuidv4()).default([]),
  /** Who signs the ledger beside the network, each as its address, a space, and its key (`name+id+key`); audit only. */
  witnesses: z.array(z.string().regex(/^https?:\/\/\S+ [^\s,]+$/)).default([]),
  /** Where mail goes in the sandbox; notifications only. */
  smtpUrl: z.url().optional(),
}).superRefine((settings, context) => {
  if (settings.bus === 'kafka' && !settings.brokers) context.addIssue({ code: 'custom', path: ['brokers'], message: 'The Kafka bus needs KAFKA_BROKERS' });
});
export type ServiceSettings = z.infer<typeof ServiceSettings>;
export type ServiceSettingsInput = z.input<typeof ServiceSettings>;

/** The environment variable behind each setting; compose and k8s files are checked against this table. */
export const environment = {
  mode: 'AMANA_MODE', host: 'AMANA_HOST', port: 'AMANA_PORT', appUrl: 'AMANA_DATABASE_URL', relayUrl: 'AMANA_RELAY_DATABASE_URL',
  bus: 'AMANA_BUS', brokers: 'KAFKA_BROKERS', busUrls: 'AMANA_BUS_DATABASE_URLS', issuer: 'AMANA_ISSUER', jwksUrl: 'AMANA_JWKS_URL',
  audience: 'AMANA_AUDIENCE', keyringFile: 'AMANA_KEYRING_FILE', logLevel: 'AMANA_LOG_LEVEL', clockOffsetMs: 'AMANA_CLOCK_OFFSET_MS',
  organisations: 'AMANA_ORGANISATIONS', smtpUrl: 'AMANA_SMTP_URL', witnesses: 'AMANA_WITNESSES',
} as const satisfies Partial<Record<keyof ServiceSettingsInput, string>>;

/** Settings of one service from the environment. Throws one error that names every variable that is missing or wrong, and no value. */
export function readSettings(service: string, env: NodeJS.ProcessEnv = process.env): ServiceSettings {
  const raw: Record<string, unknown> = { service };
  for (const [setting, variable] of Object.entries(environment)) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    raw[setting] = setting === 'busUrls' ? JSON.parse(value) : setting === 'organisations' || setting === 'witnesses' ? value.split(',') : value;
  }
  const parsed = ServiceSettings.safeParse(raw);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => {
    const setting = String(issue.path[0]) as keyof typeof environment;
    return `${environment[setting] ?? setting}: ${issue.message}`;
  });
  throw new Error(`The ${service} service cannot start. ${wrong.join('; ')}`);
}

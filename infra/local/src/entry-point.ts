import { resolve } from 'node:path';
import { z } from 'zod';

const Mode = z.literal('sandbox', { error: 'Only sandbox mode exists, with fictional data' });
const Host = z.string().default('127.0.0.1');
const Port = z.coerce.number({ error: 'Must be a port number' }).int().min(0).max(65535);
const Prefix = z.string().regex(/^[a-z][a-z0-9_]{0,20}$/).default('amana');
const StateDir = z.string().min(1).default(() => resolve('.amana/sandbox'));
/** Passwords are derived from it: short ones could be tried out. */
const RoleSecret = z.string().min(32);
/** The `iss` of the tokens, compared letter by letter: an address without a slash at its end. */
const IssuerUrl = z.url().regex(/[^/]$/, { error: 'Must not end in a slash' });

/** What each program beside the services is told by its environment; compose and k8s files are checked against it. */
export const programSettings = {
  issuer: z.object({ AMANA_MODE: Mode, AMANA_HOST: Host, AMANA_PORT: Port, AMANA_ISSUER: IssuerUrl.optional(), AMANA_STATE_DIR: StateDir }),
  router: z.object({ AMANA_MODE: Mode, AMANA_HOST: Host, AMANA_PORT: Port, AMANA_ISSUER: IssuerUrl, AMANA_UPSTREAMS: z.string().includes('{service}') }),
  migrate: z.object({ AMANA_ADMIN_DATABASE_URL: z.url(), AMANA_ROLE_SECRET: RoleSecret, AMANA_DB_PREFIX: Prefix, KAFKA_BROKERS: z.string().min(1).optional() }),
  seed: z.object({ AMANA_URL: z.url(), AMANA_STATE_DIR: StateDir }),
  'deploy-secrets': z.object({ AMANA_STATE_DIR: StateDir, AMANA_DATABASE_HOST: z.string().regex(/^[a-z0-9.-]+:\d+$/).default('postgres:5432'), AMANA_DB_PREFIX: Prefix }),
} as const;

/** A program's settings from the environment. Throws one error that names every variable that is missing or wrong, and no value. */
export function readEnvironment<Name extends keyof typeof programSettings>(name: Name, env: NodeJS.ProcessEnv = process.env): z.output<(typeof programSettings)[Name]> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = programSettings[name].safeParse(set);
  if (parsed.success) return parsed.data as z.output<(typeof programSettings)[Name]>;
  const wrong = parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
  throw new Error(`The ${name} program cannot start. ${wrong.join('; ')}`);
}

/** Runs a program to its end: what goes wrong is told in one line and by the exit code 1. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    // Not by exitCode alone: a connection left open would keep a failed process from ever being started anew.
    process.exit(1);
  }
}

/** Tells that a server is ready, and resolves when it is told to stop. */
export async function serveUntilStopped(url: string): Promise<void> {
  process.stdout.write(`serving ${url}\n`);
  // A pending promise alone does not keep a process alive, but the open server does.
  await new Promise<void>((done) => { for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => done()); });
}

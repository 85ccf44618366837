import { createHmac } from 'node:crypto';
import type { ServiceName } from '@amana/contracts';
import pg from 'pg';
import type { MigrationInterface } from 'typeorm';
import { Foundation1700000000001 } from './migrations/0001-foundation.ts';

export type MigrationClass = new () => MigrationInterface;

export interface ServiceUrls {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly relayUrl: string;
  readonly busUrl: string;
}

export interface ProvisionOptions {
  /** A role that may create roles and databases. */
  readonly adminUrl: string;
  readonly service: ServiceName;
  /** Role passwords are derived from it, so that nothing but this one secret has to be kept. */
  readonly roleSecret: string;
  /** Names start with it: several networks may live in one cluster. */
  readonly prefix?: string;
}

const roles = ['owner', 'app', 'relay', 'bus'] as const;

/** Makes sure the service's database and its four roles exist, and answers their URLs. Safe to run again and by several at once. */
export async function provision({ adminUrl, service, roleSecret, prefix = 'amana' }: ProvisionOptions): Promise<ServiceUrls> {
  const name = `${prefix}_${service}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query('SELECT pg_advisory_lock(hashtext($1))', [`amana-provision-${prefix}`]);
    for (const role of roles) {
      const exists = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [`${name}_${role}`]);
      const password = admin.escapeLiteral(rolePassword(roleSecret, `${name}_${role}`));
      await admin.query(`${exists.rowCount ? 'ALTER' : 'CREATE'} ROLE "${name}_${role}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${password}`);
    }
    const database = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!database.rowCount) await admin.query(`CREATE DATABASE "${name}" OWNER "${name}_owner" TEMPLATE template0 ENCODING 'UTF8'`);
    await admin.query(`REVOKE ALL ON DATABASE "${name}" FROM PUBLIC`);
    await admin.query(`GRANT CONNECT ON DATABASE "${name}" TO ${roles.map((role) => `"${name}_${role}"`).join(', ')}`);
  } finally {
    await admin.end();
  }
  return urlsOf({ adminUrl, service, roleSecret, prefix });
}

/** The URLs `provision` would answer, without touching the server. */
export function urlsOf({ adminUrl, service, roleSecret, prefix = 'amana' }: ProvisionOptions): ServiceUrls {
  const name = `${prefix}_${service}`;
  const urlOf = (role: string): string => {
    const url = new URL(adminUrl);
    url.username = `${name}_${role}`;
    url.password = rolePassword(roleSecret, `${name}_${role}`);
    url.pathname = `/${name}`;
    return url.href;
  };
  return { ownerUrl: urlOf('owner'), appUrl: urlOf('app'), relayUrl: urlOf('relay'), busUrl: urlOf('bus') };
}

/**
 * Brings a service's database to its newest shape under an advisory lock: the library's migrations first, then the
 * service's, each with a history table of its own; then the grants, which are the same on every run.
 */
export async function migrate(ownerUrl: string, migrations: readonly MigrationClass[]): Promise<void> {
  const lock = new pg.Client({ connectionString: ownerUrl });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock(7205759403792793)');
    await runMigrations(ownerUrl, [Foundation1700000000001], 'migration_foundation');
    await runMigrations(ownerUrl, migrations, 'migration_service');
    await lock.query(grants(new URL(ownerUrl).pathname.slice(1)));
  } finally {
    await lock.end();
  }
}

async function runMigrations(url: string, migrations: readonly MigrationClass[], migrationsTableName: string): Promise<void> {
  // Loaded where it is used: a serving process migrates nothing and need not carry it.
  const { DataSource } = await import('typeorm');
  const source = new DataSource({ type: 'postgres', url, migrations: [...migrations], migrationsTableName, installExtensions: false, logging: false });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
}

function grants(name: string): string {
  const [app, relay, bus] = ['app', 'relay', 'bus'].map((role) => `"${name}_${role}"`);
  return `
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${app}, ${relay}, ${bus};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${app};
    REVOKE UPDATE, DELETE ON event FROM ${app};
    REVOKE ALL ON migration_foundation, migration_service FROM ${app};
    GRANT USAGE ON SCHEMA keys TO ${app};
    GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA keys TO ${app};
    GRANT SELECT ON published_event TO ${relay}, ${bus};
    GRANT SELECT, INSERT, UPDATE ON relay_state TO ${relay}, ${app};
  `;
}

function rolePassword(secret: string, role: string): string {
  return createHmac('sha256', secret).update(role).digest('base64url');
}

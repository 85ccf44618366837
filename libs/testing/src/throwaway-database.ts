import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '@amana/contracts';
import { type MigrationClass, migrate, provision, type ServiceUrls } from '@amana/persistence';

/** A database server somebody else starts; this library only makes databases in it. */
export interface ThrowawayServer {
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** Starts a server in a folder of its own by the given starter, and removes both at the end. */
export async function throwawayServer(start: (stateDir: string) => Promise<{ url: string; stop(): Promise<void> }>): Promise<ThrowawayServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'amana-pg-'));
  const server = await start(stateDir);
  return {
    adminUrl: server.url,
    async stop() {
      await server.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A migrated database for one service under a name of its own: specs that share a server do not meet. */
export async function throwawayDatabase(adminUrl: string, service: ServiceName, migrations: readonly MigrationClass[] = []): Promise<ServiceUrls> {
  const urls = await provision({ adminUrl, service, roleSecret: 'only for this throw-away server', prefix: `t${randomBytes(4).toString('hex')}` });
  await migrate(urls.ownerUrl, migrations);
  return urls;
}

import { randomInt } from 'node:crypto';
import { createServer, type Server as NetServer } from 'node:net';

/** Below what systems hand out for outgoing connections (32768 and up on Linux, 49152 and up elsewhere). */
const lowestPort = 20_000;
const highestPort = 32_767;
const tries = 200;
const given = new Set<number>();

/**
 * A port that was free a moment ago, never the same one twice. No outgoing connection takes it: a server that was
 * killed finds it again, though its callers go on dialling. Throws when 200 ports in a row are taken.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const port = randomInt(lowestPort, highestPort + 1);
    if (given.has(port)) continue;
    const probe = createServer();
    try {
      await listen(probe, port, '127.0.0.1');
    } catch {
      continue;
    }
    await close(probe);
    given.add(port);
    return port;
  }
  throw new Error(`No free port between ${lowestPort} and ${highestPort} was found in ${tries} tries.`);
}

/** Resolves when the server takes connections, rejects when it cannot. */
export function listen(server: NetServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Takes no more connections and, where the server knows how, ends those it has. Resolves when it is closed. */
export function close(server: NetServer & { closeAllConnections?(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}

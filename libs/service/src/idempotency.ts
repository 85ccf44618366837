import { Refusal } from '@amana/contracts';
import type { Row, Statement } from '@amana/persistence';
import type { Act } from './act.ts';

/** Looks for the row of a request that was carried out before under this key. */
export function findIdempotent(act: Act, key: string): Statement {
  return {
    name: 'idempotency-find', values: [act.caller.clientId, `${act.route.method} ${act.route.path}`, key],
    text: 'SELECT body_mac, stream, version FROM idempotency WHERE client = $1 AND route = $2 AND key = $3',
  };
}

/** Written with the effect, or not at all: the key, a keyed hash of what was asked, and what became of it. */
export function rememberIdempotent(act: Act, key: string, row: { mac: Buffer; stream: string; version: number }): Statement {
  return {
    name: 'idempotency-remember', values: [act.caller.clientId, `${act.route.method} ${act.route.path}`, key, row.mac, row.stream, row.version],
    text: 'INSERT INTO idempotency (client, route, key, body_mac, stream, version) VALUES ($1, $2, $3, $4, $5, $6)',
  };
}

/** Refuses another request under a key that is taken. */
export function requireSameBody(known: Row, mac: Buffer): void {
  if (!mac.equals(known.body_mac as Buffer)) throw new Refusal('idempotency-key-reused', { errors: [{ pointer: 'Idempotency-Key', code: 'reused' }] });
}

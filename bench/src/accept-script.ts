import { serviceDefinitions } from '@amana/local';
import { append, loadStream, type NewEvent, type Row, type Statement, type StoredEvent } from '@amana/persistence';
import type { Network } from './network.ts';
import { referralIdOf, referralIdSql } from './referral-ids.ts';

/** The variables of the script: `k` is the referral's number, which each client counts on from a start of its own. */
const referralId = referralIdSql(':k');

/**
 * One acceptance as a pgbench script: the very statements of the service, with the data of an acceptance that it has
 * really carried out, each in a round trip of its own. `acceptedReferral` is the number of that one.
 */
export async function acceptanceScript(network: Network, acceptedReferral: number): Promise<string> {
  const id = referralIdOf(acceptedReferral);
  const events = await network.query<Row & StoredEvent>('referral', `
    SELECT id, stream, version, type, topic, key, data, meta, at FROM event
    WHERE stream = $1 AND version > 2 OR key = $1::text AND type = 'referral.audit-entry.v1' ORDER BY position`, [id]);
  const audit = events.find((event) => event.type === 'referral.audit-entry.v1');
  const [known] = await network.query('referral', 'SELECT client, route, encode(body_mac, \'hex\') AS mac FROM idempotency WHERE stream = $1', [id]);
  if (events.length !== 3 || !audit || !known) throw new Error('The acceptance to be repeated was not found');
  const write = (statement: Statement): string => inlined(statement, { [id]: `(${referralId})::text`, [audit.stream]: 'gen_random_uuid()::text' });
  const projected = events.flatMap((event) => serviceDefinitions.referral.projections.flatMap((one) => (one.on.includes(event.type) ? one.project(event) : [])));
  const idempotencyKey = '\'pgbench-\' || :k';
  return [
    '\\set n :n + 1', '\\set k :first + :client_id * :share + :n',
    'BEGIN',
    write(loadStream(id)),
    `SELECT body_mac, stream, version FROM idempotency WHERE client = '${String(known.client)}' AND route = ${literal(known.route)} AND key = ${idempotencyKey}`,
    write(appended(events)),
    ...projected.map(write),
    `INSERT INTO idempotency (client, route, key, body_mac, stream, version) VALUES ('${String(known.client)}', ${literal(known.route)}, ${idempotencyKey}, decode('${String(known.mac)}', 'hex'), ${referralId}, 4)`,
    'COMMIT',
  ].map((line) => (line.startsWith('\\') ? line : `${line.replaceAll(/\s+/g, ' ')};`)).join('\n');
}

/** The service's INSERT of these events, with the data that it stored. */
function appended(events: readonly StoredEvent[]): Statement {
  const { statement } = append(events.map((event): NewEvent => ({ ...event, definition: { type: event.type, topic: event.topic, data: anything } })), events[0]!.meta, events[0]!.at);
  return statement;
}

/** The data was checked when it was first written. */
const anything = { parse: (data: unknown) => data } as NewEvent['definition']['data'];

/** The statement with its values written in: pgbench has variables of its own only. Ids that differ from one act to the next become expressions. */
function inlined({ name, text, values }: Statement, ids: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1];
    if (typeof value !== 'string') return literal(value);
    if (Object.hasOwn(ids, value)) return name.startsWith('due-') ? ids[value]! : `(${ids[value]!})::uuid`;
    return Object.entries(ids).reduce((sql, [id, expression]) => (value.includes(id) ? `replace(${sql}, '${id}', ${expression})` : sql), literal(value));
  });
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return `to_timestamp(${value.getTime() / 1000})`;
  if (typeof value !== 'string') throw new TypeError('A value of this kind has no place in a pgbench script');
  const text = value.replaceAll('\'', '\'\'');
  // A colon before a name would be a variable of pgbench, in quotes too: in JSON a blank or an escape keeps them apart.
  if (/^[[{]/.test(text)) return `'${text.replaceAll(/"(?:[^"\\]|\\.)*"|:/g, (token) => (token === ':' ? ': ' : token.replaceAll(':', '\\u003a')))}'`;
  return `'${text.replaceAll(':', '\' || chr(58) || \'')}'`;
}

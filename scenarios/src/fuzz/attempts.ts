import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Address, othersThan, strangersTo, usualIn } from './addresses.ts';
import type { Operation } from './document.ts';
import type { Caller, Ground } from './ground.ts';
import { anything, type Body, broken, fitting, mutated } from './values.ts';
import { textOf } from './json-text.ts';

/** What an attempt must be answered. */
export interface Expected { readonly statuses: readonly number[]; readonly codes?: readonly string[]; /** A place that an error must be about. */ readonly pointer?: string }

/** One request, made wrong in one way or not at all. */
export interface Attempt {
  readonly kind: string;
  readonly path: string;
  /** Whose token it carries, or another Authorization header, or none. */
  readonly caller: Caller | string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** `current` stands for the version that there is when it is sent. */
  readonly ifMatch: string | undefined;
  readonly body?: string | Buffer | undefined;
  readonly expected: Expected;
}

const anyRefusal: Expected = { statuses: [400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422, 428, 431] };
const readOrRefused: Expected = { statuses: [200, ...anyRefusal.statuses] };
const invalid = (pointer?: string): Expected => ({ statuses: [422, 400, 413], codes: ['validation-failed', 'bad-request', 'body-too-large'], ...(pointer === undefined ? {} : { pointer }) });
const json = 'application/json';

/** Ways to ask for an operation of which none may change anything. */
export function refused(operation: Operation, address: Address, ground: Ground): fc.Arbitrary<Attempt> {
  const valid = bodyOf(operation, ground, { odd: false });
  const right = valid.map((body): Attempt => rightly(operation, address, body));
  const kinds: fc.Arbitrary<Attempt>[] = [oddPath(operation, address, right)];
  if (operation.bodySchema) {
    kinds.push(wrongBody(operation, right, valid), wrongBody(operation, right, valid), wrongBody(operation, right, valid));
    kinds.push(fc.tuple(right, broken).map(([attempt, body]) => ({ ...attempt, kind: 'broken JSON', body, expected: { statuses: [400], codes: ['bad-request'] } })));
    const types = fc.constantFrom('text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/jsonp', ';;;', '');
    kinds.push(fc.tuple(right, types).map(([attempt, type]) => ({
      ...attempt, kind: 'wrong content type', headers: { ...attempt.headers, 'content-type': type }, expected: { statuses: [415], codes: ['unsupported-media-type'] },
    })));
  }
  if (operation.wants('Idempotency-Key')) {
    kinds.push(fc.tuple(right, fc.constantFrom(undefined, '', ' ', 'x'.repeat(201), 'a b', 'é', 'a\tb')).map(([attempt, key]) => ({
      ...attempt, kind: 'wrong Idempotency-Key', headers: { ...attempt.headers, 'idempotency-key': key }, expected: { statuses: [400], codes: ['idempotency-key-missing'], pointer: 'Idempotency-Key' },
    })));
  }
  if (operation.wants('If-Match')) {
    const versions = fc.constantFrom('', '*', '1', '"0"', '"999999"', 'W/"1"', '""', '"1', '"-1"', '"1e0"', '"9007199254740993"', 'x'.repeat(500));
    const stale: Expected = { statuses: [412], codes: ['version-stale'], pointer: 'If-Match' };
    const missing: Expected = { statuses: [428], codes: ['precondition-required'], pointer: 'If-Match' };
    kinds.push(fc.tuple(right, versions).map(([attempt, ifMatch]) => ({ ...attempt, kind: 'stale If-Match', ifMatch, expected: stale })));
    kinds.push(right.map((attempt) => ({ ...attempt, kind: 'no If-Match', ifMatch: undefined, expected: missing })));
  }
  if (!operation.isPublic) kinds.push(wrongCaller(operation, right, ground));
  if (Object.keys(address.params).length > 0 && !operation.isPublic) {
    kinds.push(wrongPlace(operation, address, right, ground));
    const others = othersThan(address.caller, operation, ground);
    // What one side may read, the other side of a referral or transfer may too. To change it is one side's alone.
    const theirs: Expected = operation.changes ? { statuses: [404, 403], codes: ['not-found', 'forbidden'] } : readOrRefused;
    if (others.length > 0) kinds.push(fc.tuple(right, fc.constantFrom(...others)).map(([attempt, caller]) => ({ ...attempt, kind: 'somebody else\'s', caller, expected: theirs })));
  }
  if (operation.parameters('query').length > 0) kinds.push(wrongQuery(operation, right), wrongQuery(operation, right));
  return fc.oneof(...kinds);
}

/** Requests with nothing wrong about them that a document could tell. */
export function fittingAttempts(operation: Operation, address: Address, ground: Ground): fc.Arbitrary<Attempt> {
  return bodyOf(operation, ground, { odd: true }).map((body) => ({ ...rightly(operation, address, body), expected: { statuses: [200, 201, ...anyRefusal.statuses, 503] } }));
}

function bodyOf(operation: Operation, ground: Ground, { odd }: { odd: boolean }): fc.Arbitrary<unknown> {
  if (!operation.bodySchema) return fc.constant(undefined);
  return fitting(operation.bodySchema, { root: operation.document, usual: usualIn(ground), odd }).filter((body) => operation.accepts(JSON.parse(textOf(body))));
}

function rightly(operation: Operation, address: Address, body: unknown): Attempt {
  const query = operation.parameters('query').filter(({ required }) => required).map(({ name }) => `${name}=2025-01`).join('&');
  return {
    kind: 'as declared', path: pathOf(operation, address.params) + (query ? `?${query}` : ''), caller: address.caller, ifMatch: operation.wants('If-Match') ? 'current' : undefined,
    headers: { ...(body === undefined ? {} : { 'content-type': json }), ...(operation.wants('Idempotency-Key') ? { 'idempotency-key': randomUUID() } : {}) },
    body: body === undefined ? undefined : textOf(body), expected: readOrRefused,
  };
}

function wrongBody(operation: Operation, right: fc.Arbitrary<Attempt>, valid: fc.Arbitrary<unknown>): fc.Arbitrary<Attempt> {
  const bodies: fc.Arbitrary<Body> = fc.oneof({ weight: 5, arbitrary: mutated(valid) }, { weight: 1, arbitrary: anything.map((value) => ({ text: textOf(value) })) });
  return fc.tuple(right, bodies.filter(({ text }) => !operation.accepts(JSON.parse(text)))).map(([attempt, { text, pointer }]) => ({ ...attempt, kind: 'wrong body', body: text, expected: invalid(pointer) }));
}

function wrongCaller(operation: Operation, right: fc.Arbitrary<Attempt>, ground: Ground): fc.Arbitrary<Attempt> {
  const tokens = fc.constantFrom(undefined, '', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic dTpw', `Bearer ${'e'.repeat(4_000)}.e.e`, 'bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.');
  const unknown = fc.tuple(right, tokens).map(([attempt, caller]): Attempt => ({ ...attempt, kind: 'unknown caller', caller, expected: { statuses: [401], codes: ['unauthenticated'] } }));
  const strangers = strangersTo(operation, ground);
  if (strangers.length === 0) return unknown;
  return fc.oneof(unknown, fc.tuple(right, fc.constantFrom(...strangers)).map(([attempt, caller]): Attempt => ({ ...attempt, kind: 'wrong role', caller, expected: { statuses: [403], codes: ['forbidden'] } })));
}

/** Ids that do not exist, that are no ids, and that are somebody else's. */
function wrongPlace(operation: Operation, address: Address, right: fc.Arbitrary<Attempt>, ground: Ground): fc.Arbitrary<Attempt> {
  const names = Object.keys(address.params);
  const others = Object.entries(ground.ids).map(([, id]) => id).filter((id) => !Object.values(address.params).includes(id));
  const junk = ['0', '-1', 'x', 'null', '%00', '%F0%9F%98%80', '..%2F..', address.params[names[0]!]!.toUpperCase(), '00000000-0000-0000-0000-000000000000', 'a'.repeat(90)];
  const ids = fc.oneof(fc.uuid({ version: 4 }), fc.uuid(), fc.constantFrom(...others), fc.constantFrom(...junk), fc.string({ minLength: 1, maxLength: 40 }).map(encodeURIComponent));
  const expected = operation.changes ? anyRefusal : readOrRefused;
  return fc.tuple(right, fc.constantFrom(...names), ids).map(([attempt, name, id]) => ({ ...attempt, kind: 'wrong place', path: attempt.path.replace(address.params[name]!, id), expected }));
}

function wrongQuery(operation: Operation, right: fc.Arbitrary<Attempt>): fc.Arbitrary<Attempt> {
  const parameters = operation.parameters('query');
  const cursors = ['0000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', '2026-02-31T00:00:00.000Z', '2026-13-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', 'January,1,2026,00:00:00'].flatMap((at) => [
    `${at} ${randomUUID()}`, JSON.stringify([at, 'x', false, '2026-01-01T00:00:00.000Z', '1']), JSON.stringify(['2026-01-01T00:00:00.000Z', '\u0000\ud800', true, at, '999999999999999999']),
  ]).map((text) => Buffer.from(text).toString('base64url'));
  const junk = [
    '', '0', '-1', '101', '1e1', '0x10', '50.5', '%205', '99999999999999999999', 'null', '%00', '%FF', '%ED%A0%80', '0000-00', '0000-01', '9999-12', '2025-01', '2199-12', 'sex,sex', 'sex,ageBand,region', 'x'.repeat(5_000), '__proto__',
  ];
  const values = fc.oneof(fc.constantFrom(...junk), fc.constantFrom(...cursors), fc.string({ maxLength: 60 }).map(encodeURIComponent));
  const one = fc.tuple(fc.constantFrom(...parameters.map(({ name }) => name)), values).map(([name, value]) => `${name}=${value}`);
  const odd = fc.constantFrom('limit=1&limit=2', 'after[]=x', 'limit[a]=1', '__proto__=x', 'constructor=x', '&&&', '=', '?', 'x=1&'.repeat(500), 'a=%zz');
  const queries = fc.array(fc.oneof({ weight: 6, arbitrary: one }, { weight: 1, arbitrary: odd }), { minLength: 1, maxLength: 3 });
  return fc.tuple(right, queries).map(([attempt, query]) => ({ ...attempt, kind: 'odd query', path: `${attempt.path.split('?')[0]}?${query.join('&')}`, expected: readOrRefused }));
}

/** An address that nobody could have been given. */
function oddPath(operation: Operation, address: Address, right: fc.Arbitrary<Attempt>): fc.Arbitrary<Attempt> {
  const last = /[^/?]+(?=$|\?)/;
  const changes = fc.constantFrom<(path: string) => string>(
    (path) => `${path}/%zz`, (path) => `${path}/%E0%A4%A`, (path) => `${path}/${'a'.repeat(2_000)}`, (path) => `${path}//`, (path) => `${path}/../..`, (path) => `/${path}`, (path) => `${path}%00`,
    (path) => path.replace('/v1/', '/v2/'), (path) => path.replace(last, '%zz'), (path) => path.replace(last, 'z'.repeat(600)),
  );
  const expected = operation.changes ? anyRefusal : readOrRefused;
  return fc.tuple(right, changes).map(([attempt, change]) => ({ ...attempt, kind: 'odd path', path: change(pathOf(operation, address.params)), expected }));
}

function pathOf(operation: Operation, params: Readonly<Record<string, string>>): string {
  return operation.template.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name]!);
}

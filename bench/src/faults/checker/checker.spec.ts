import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../journal.ts';
import { judge } from './checker.ts';
import type { DatabaseDump, Dump, InboxRow, LoggedEvent, TopicMessage } from './dump.ts';

const [sender, shelter] = ['org-sender', 'org-shelter'];
const referralId = '6f1d6c9e-8a55-4c0e-9f55-0c1d3c1a7e01';
const holdId = '6f1d6c9e-8a55-4c0e-9f55-0c1d3c1a7e02';

interface Draft { database: { -readonly [K in keyof DatabaseDump]: DatabaseDump[K][number][] } }

/** A small network after a good run: one referral, drafted, submitted and accepted with a hold; every promise kept. */
class Story {
  readonly databases: Record<string, Draft['database']> = Object.fromEntries(['referral', 'shelter', 'intake', 'health', 'notifications', 'audit', 'indicators']
    .map((service) => [service, { events: [], inbox: [], parked: [], idempotency: [], due: [], blocked: [] }]));
  readonly journal: JournalEntry[] = [];
  readonly messages: TopicMessage[] = [];
  readonly beds: Dump['beds'][number][] = [];
  board: Dump['board'][number] = { referralId, status: 'accepted', version: 3, kind: 'shelter', redirectedTo: null };
  holdState = 'confirmed';
  #ids = 0;
  #offset = 0;

  constructor() {
    const [parties, types] = [{ referralId, fromOrg: sender, toOrg: shelter }, ['drafted', 'submitted', 'accepted']];
    this.event('referral', { stream: referralId, version: 1, type: `referral.${types[0]}.v1`, topic: null, correlation: 'request', data: { recipients: [{ referralId, consentRef: 'consent', serviceKind: 'shelter' }] } });
    this.audit('referral', { correlation: 'request', action: 'referral.draft', version: 1 });
    const submitted = this.event('referral', { stream: referralId, version: 2, type: 'referral.submitted.v1', topic: 'referral.referral.v1', data: parties });
    const held = this.placed(holdId, 1_000);
    const accepted = this.event('referral', { stream: referralId, version: 3, type: 'referral.accepted.v1', topic: 'referral.referral.v1', cause: held.id, data: { ...parties, holdId } });
    this.told(submitted, shelter!);
    this.told(accepted, sender!);
    this.database('referral').idempotency.push({ client: 'system', route: 'POST /drafts', key: 'key', stream: referralId, version: 1 });
    this.journal.push({ kind: 'command', run: 0, requestId: 'r', idempotencyKey: 'key', client: 'system', service: 'referral', route: 'POST /drafts', outcome: 'acknowledged', status: 201, code: undefined, stream: referralId, version: 1, attempts: 1 });
    for (const consumer of ['shelter', 'health', 'notifications', 'intake']) this.take(consumer, submitted);
    for (const consumer of ['shelter', 'health', 'notifications']) this.take(consumer, accepted);
    this.take('referral', held);
  }

  database(service: string): Draft['database'] {
    return this.databases[service]!;
  }

  event(service: string, event: Pick<LoggedEvent, 'stream' | 'version' | 'type' | 'topic'> & Partial<LoggedEvent>): LoggedEvent {
    this.#ids += 1;
    const whole: LoggedEvent = { id: `event-${this.#ids}`, key: event.stream, data: {}, cause: null, correlation: null, atMs: this.#ids, position: this.#ids, ...event };
    this.database(service).events.push(whole);
    if (whole.topic !== null) this.send(whole);
    return whole;
  }

  send(event: LoggedEvent): void {
    this.#offset += 1;
    this.messages.push({ topic: event.topic!, partition: 0, offset: this.#offset, key: event.key, id: event.id, type: event.type, version: event.key === event.stream ? event.version : null });
  }

  audit(service: string, entry: { correlation: string; action: string; version: number }): void {
    const leaf = { action: entry.action, actor: { org: sender }, object: { id: referralId, version: entry.version }, decision: 'permit', outcome: 'done' };
    const data = { leaf: Buffer.from(JSON.stringify(leaf)).toString('base64url') };
    const event = this.event(service, { stream: `${entry.action}-${entry.version}`, version: 1, key: referralId, type: `${service}.audit-entry.v1`, topic: `${service}.audit.v1`, correlation: entry.correlation, data });
    this.take('audit', event);
  }

  take(consumer: string, event: LoggedEvent, row: Partial<InboxRow> = {}): void {
    this.database(consumer).inbox.push({ eventId: event.id, consumer, topic: event.topic!, outcome: 'done', partition: 0, offset: 0, atMicros: this.#ids * 1_000 + event.version, ...row });
  }

  placed(id: string, atMs: number): LoggedEvent {
    this.event('shelter', { stream: id, version: 1, type: 'shelter.hold-placed.v1', topic: null, atMs, data: { bedIds: ['bed'] } });
    this.beds.push({ holdId: id, bedId: 'bed', state: 'confirmed', fromMs: atMs, untilMs: Number.POSITIVE_INFINITY });
    return this.event('shelter', { stream: id, version: 2, type: 'shelter.bed-held.v1', topic: 'shelter.stay.v1', atMs, data: { holdId: id, referralId, organisationId: shelter } });
  }

  told(cause: LoggedEvent, organisationId: string): void {
    this.#ids += 1;
    this.event('notifications', { stream: `item-${this.#ids}`, version: 1, type: 'notifications.item-noted.v1', topic: null, cause: cause.id, data: { organisationId } });
  }

  find(type: string): LoggedEvent {
    return Object.values(this.databases).flatMap(({ events }) => events).find((event) => event.type === type)!;
  }

  /** What the checker finds: the names of the checks, each once. */
  found(): string[] {
    const dump: Dump = {
      journal: this.journal, databases: this.databases, messages: this.messages, board: [this.board], beds: this.beds, holds: [{ holdId, referralId, state: this.holdState }], shelterList: [referralId],
      items: this.database('notifications').events.map(({ stream }) => ({ itemId: stream, organisationId: '' })), auditEntries: this.database('audit').inbox.map(({ eventId }) => eventId),
    };
    return [...new Set(judge(dump).map(({ check }) => check))];
  }
}

const planted: readonly [string, string, (story: Story) => void][] = [
  ['an acknowledged command without its event', 'lost', ({ journal }) => journal.push({ ...(journal[0] as JournalEntry & { kind: 'command' }), stream: 'nowhere', idempotencyKey: 'other' })],
  ['an acknowledged command without its audit entry', 'lost', (story) => { story.database('referral').events.splice(1, 1); story.messages.splice(0, 1); story.database('audit').inbox.length = 0; }],
  ['an acknowledged command without its idempotency row', 'lost', (story) => { story.database('referral').idempotency.length = 0; }],
  ['a look that was answered and is not on record', 'lost', ({ journal }) => journal.push({ kind: 'look', run: 0, service: 'referral', referralId, version: 3 })],
  ['a published event that is on no topic', 'undelivered', ({ messages }) => messages.splice(1, 1)],
  ['an event that a consumer never took', 'undelivered', (story) => { story.database('shelter').inbox.length = 0; }],
  ['an answer that nobody was told of', 'undelivered', (story) => { story.database('notifications').events.length = 1; }],
  ['a message that no log has committed', 'phantom', (story) => story.messages.push({ ...story.messages[1]!, id: 'event-of-nobody', offset: 99, version: 9 })],
  ['a second inbox row', 'twice', (story) => story.take('shelter', story.find('referral.submitted.v1'))],
  ['two items of one cause', 'twice', (story) => story.told(story.find('referral.accepted.v1'), sender!)],
  ['two effects of one event', 'twice', (story) => story.event('referral', { stream: referralId, version: 4, type: 'referral.accepted.v1', topic: null, cause: story.find('shelter.bed-held.v1').id, data: { holdId } })],
  ['one key with two answers', 'twice', ({ journal }) => journal.push({ ...(journal[0] as JournalEntry & { kind: 'command' }), version: 2 })],
  ['a second act under one key', 'twice', (story) => story.audit('referral', { correlation: 'again', action: 'referral.draft', version: 7 })],
  ['version 3 before version 2 on the topic', 'order', (story) => {
    const at = (version: number): number => story.messages.findIndex((message) => message.key === referralId && message.version === version);
    const [two, three] = [at(2), at(3)];
    [story.messages[two], story.messages[three]] = [{ ...story.messages[two]!, offset: story.messages[three]!.offset }, { ...story.messages[three]!, offset: story.messages[two]!.offset }];
  }],
  ['a later version that took effect earlier', 'order', (story) => { story.database('health').inbox[1] = { ...story.database('health').inbox[1]!, atMicros: 0 }; }],
  ['a bed held for two', 'beds', (story) => story.beds.push({ holdId: 'other', bedId: 'bed', state: 'unconfirmed', fromMs: 2_000, untilMs: 3_000 })],
  ['a board that says something else than the log', 'unreachable', (story) => { story.board = { ...story.board, status: 'submitted' }; }],
  ['an acceptance whose hold was never confirmed', 'unreachable', (story) => { story.holdState = 'unconfirmed'; }],
  ['a death that nobody planted', 'dead-letters', (story) => story.database('shelter').parked.push({ eventId: 'event-2', consumer: 'shelter', topic: 'referral.referral.v1', key: referralId, state: 'dead', reason: 'schema' })],
  ['a poison message that did not die', 'dead-letters', ({ journal }) => journal.push({ kind: 'injected', run: 0, what: 'poison', topic: 'referral.referral.v1', key: 'k', eventId: 'injected' })],
  ['a key that the relay does not send', 'dead-letters', (story) => story.database('referral').blocked.push('relay!referral.referral.v1!k')],
];

describe('the checker', () => {
  it.each(planted)('finds %s', (_what, check, plant) => {
    const story = new Story();
    plant(story);
    expect(story.found()).toContain(check);
  });

  it('finds nothing in a network that kept its promises', () => expect(new Story().found()).toEqual([]));

  it('takes a message that was sent again for one event', () => {
    const story = new Story();
    story.send(story.find('referral.submitted.v1'));
    expect(story.found()).toEqual([]);
  });

  it('shares no code with the services and their libraries', () => {
    const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    const imported = sources.flatMap((name) => [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from]) => from!));
    expect(imported.length).toBeGreaterThan(10);
    expect(imported.filter((from) => !/^(node:[\w/]+|pg|kafkajs|\.\/[\w-]+\.ts|\.\.\/journal\.ts)$/.test(from))).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createKafka } from '@amana/messaging';
import kafkajs, { type Producer } from 'kafkajs';
import type { Caller, Patience } from './caller.ts';
import type { Violation } from './checker/checker.ts';
import type { InjectedEntry, Journal } from './journal.ts';
import type { Seeded } from './seeded.ts';

const topic = 'referral.referral.v1';
/** The broker must take what no writer of ours would send. */
const maxMessageBytes = 4 * 1024 * 1024;
const oversizeBytes = 2 * 1024 * 1024;
const repliesWithinMs = 15_000;

interface Bad {
  readonly what: InjectedEntry['what'];
  readonly key: string;
  readonly type: string;
  readonly value: string | Buffer;
}

/** Lets the topic carry a message of 2 MB; its other settings stay as they were made. */
export async function widenTopic(brokers: string): Promise<void> {
  const admin = createKafka({ brokers: brokers.split(','), clientId: 'faults-poison' }).admin();
  await admin.connect();
  try {
    const described = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }] });
    const kept = described.resources[0]!.configEntries.filter((entry) => !entry.isDefault && entry.configName !== 'max.message.bytes').map((entry) => ({ name: entry.configName, value: entry.configValue }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: [...kept, { name: 'max.message.bytes', value: String(maxMessageBytes) }] }] });
  } finally {
    await admin.disconnect();
  }
}

/** Puts a poison message, an unknown version and one of 2 MB on the topic, each under a key of its own with a good message behind it. */
export async function injectPoison(options: { brokers: string; journal: Journal; run: number; rng: Seeded; patience: Patience }): Promise<void> {
  const { journal, run, rng, patience } = options;
  const facts = (key: string): string => JSON.stringify({ referralId: key, fromOrg: rng.uuid(), toOrg: rng.uuid(), reasonCode: 'other' });
  const [poison, unknown, oversize] = [rng.uuid(), rng.uuid(), rng.uuid()] as const;
  const bad: Bad[] = [
    { what: 'poison', key: poison, type: 'referral.cancelled.v1', value: '{"referralId": 7, "key": "value", "value": {' },
    { what: 'unknown-version', key: unknown, type: 'referral.cancelled.v9', value: facts(unknown) },
    { what: 'oversize', key: oversize, type: 'referral.cancelled.v1', value: Buffer.alloc(oversizeBytes, 0x20) },
  ];
  const followers = bad.map(({ key }): Bad => ({ what: 'follower', key, type: 'referral.cancelled.v1', value: facts(key) }));
  for (const message of [...bad, ...followers]) {
    const eventId = rng.uuid();
    // Noted first: it may arrive although the broker's answer is lost.
    journal.append({ kind: 'injected', run, what: message.what, topic, key: message.key, eventId });
    await sendPatiently(options.brokers, { eventId, ...message }, patience);
  }
}

async function sendPatiently(brokers: string, { eventId, type, key, value }: Bad & { eventId: string }, patience: Patience): Promise<void> {
  while (Date.now() < patience.giveUpAtMs) {
    let producer: Producer | undefined;
    try {
      producer = createKafka({ brokers: brokers.split(','), clientId: 'faults-poison' }).producer({ allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
      await producer.connect();
      const headers = { ce_specversion: '1.0', ce_id: eventId, ce_source: '/amana/referral', ce_type: type, ce_time: new Date().toISOString(), ce_partitionkey: key, 'content-type': 'application/json' };
      await producer.send({ topic, acks: -1, messages: [{ key, value, headers }] });
      return;
    } catch {
      await delay(300);
    } finally {
      await producer?.disconnect().catch(() => undefined);
    }
  }
}

interface DeadItem { readonly eventId: string; readonly state: string; readonly reason: string | null }

/** The operator's part over HTTP: tries the unknown version again, learns that the oversize one cannot be, and leaves all out. */
export async function settleDead(options: { operator: Caller; services: readonly string[]; journal: Journal; run: number }): Promise<Violation[]> {
  const { operator, services, journal, run } = options;
  const injected = new Map(journal.entries.flatMap((entry) => (entry.kind === 'injected' && entry.run === run ? [[entry.eventId, entry.what] as const] : [])));
  const wrong: Violation[] = [];
  const decide = async (service: string, eventId: string, act: 'replay' | 'skip'): Promise<number> => {
    const answer = await operator.post(`/v1/${service}/parked-messages/${eventId}/${act}`, { reasonCode: act === 'skip' ? 'harmless' : 'fixed' }, randomUUID());
    journal.append({ kind: 'operator', run, service, eventId, act, status: answer.status });
    return answer.status;
  };
  for (const service of services) {
    for (const { eventId } of (await listDead(operator, service)).filter((item) => injected.has(item.eventId))) {
      const what = injected.get(eventId)!;
      const replayed = what === 'poison' ? undefined : await decide(service, eventId, 'replay');
      const expected = what === 'oversize' ? 410 : 200;
      if (replayed !== undefined && replayed !== expected) wrong.push({ check: 'dead-letters', what: `${service} answered ${replayed} to the replay of the ${what} ${eventId}, not ${expected}` });
      if (replayed === 200 && !await diesAgain(operator, service, eventId)) wrong.push({ check: 'dead-letters', what: `${service} did not try the ${what} ${eventId} again` });
      const skipped = await decide(service, eventId, 'skip');
      if (skipped !== 200) wrong.push({ check: 'dead-letters', what: `${service} answered ${skipped} to the skip of the ${what} ${eventId}` });
    }
  }
  return wrong;
}

async function diesAgain(operator: Caller, service: string, eventId: string): Promise<boolean> {
  const untilMs = Date.now() + repliesWithinMs;
  while (Date.now() < untilMs) {
    await delay(150);
    if ((await listDead(operator, service)).some((item) => item.eventId === eventId)) return true;
  }
  return false;
}

async function listDead(operator: Caller, service: string): Promise<DeadItem[]> {
  const answer = await operator.get(`/v1/${service}/parked-messages`);
  return ((answer.body.items ?? []) as DeadItem[]).filter((item) => item.state === 'dead');
}

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { publishedEvents } from './catalogue.ts';
import { DataCategory, Urgency } from './codes.ts';
import { breaksBetween, promisesOf, schemaOf } from './compatibility.ts';
import { type EventDefinition, Id, privateEvent, published } from './event.ts';
import { nameOffences, privacyOffences } from './event-rules.ts';
import { ContractRefused, contractsDir, readLock, readSamples, writeContracts } from './generate.ts';

const outOfDate = 'run npm run contracts and commit what it writes';
const definitions = [...publishedEvents.values()];

describe('the committed contracts', () => {
  it('hold the JSON Schema of each published event, and no other', () => {
    const files = readdirSync(join(contractsDir, 'schemas')).sort();
    expect(files).toEqual(definitions.map(({ type }) => `${type}.json`).sort());
    for (const definition of definitions) {
      const committed: unknown = JSON.parse(readFileSync(join(contractsDir, 'schemas', `${definition.type}.json`), 'utf8'));
      expect({ [outOfDate]: committed }).toEqual({ [outOfDate]: schemaOf(definition) });
    }
  });

  it('break nothing that was ever published, and lock what is published now', () => {
    const lock = readLock(contractsDir);
    expect(Object.keys(lock).length).toBeGreaterThan(40);
    expect(breaksBetween(lock, promisesOf(definitions))).toEqual([]);
    expect({ [outOfDate]: lock }).toEqual({ [outOfDate]: promisesOf(definitions) });
  });

  it('still read every golden sample, and have one for each event', () => {
    const samples = readSamples(contractsDir);
    expect([...new Set(samples.map(({ type }) => type))].sort()).toEqual(definitions.map(({ type }) => type).sort());
    for (const { file, type, data } of samples) {
      expect({ file, read: publishedEvents.get(type)!.data.safeParse(data).data }).toEqual({ file, read: data });
    }
  });

  it('read each sample without its optional fields too', () => {
    for (const { file, type, data } of readSamples(contractsDir)) {
      const { required } = schemaOf(publishedEvents.get(type)!) as { required: string[] };
      const least = Object.fromEntries(Object.entries(data as object).filter(([name]) => required.includes(name)));
      expect({ file, ok: publishedEvents.get(type)!.data.safeParse(least).success }).toEqual({ file, ok: true });
    }
  });

  it('name each event by its service and what has happened', () => {
    expect(nameOffences(promisesOf(definitions))).toEqual([]);
  });

  it('say nothing about a person', () => {
    expect(privacyOffences(promisesOf(definitions))).toEqual([]);
  });
});

/** One published event and what the checker says of a changed copy of it. */
const Before = { referralId: Id, urgency: Urgency, attempt: z.int().min(1).max(10), code: z.string().max(20).optional(), toOrgs: z.array(Id).max(3) };
const event = (shape: z.ZodRawShape, options: { type?: string; topic?: string } = {}): EventDefinition =>
  published(options.type ?? 'referral.submitted.v1', options.topic ?? 'referral.referral.v1', z.strictObject(shape));
const breaks = (after: EventDefinition[]): string[] => breaksBetween(promisesOf([event(Before)]), promisesOf(after));

describe('the check of published versions', () => {
  const { urgency: _urgency, ...withoutUrgency } = Before;
  const planted: [string, EventDefinition[], string][] = [
    ['an event that is gone', [], 'referral.submitted.v1 is no longer published'],
    ['an event that became private', [privateEvent('referral.submitted.v1', z.strictObject(Before))], 'referral.submitted.v1 is no longer published'],
    ['another topic', [event(Before, { topic: 'referral.other.v1' })], 'referral.submitted.v1 moved from referral.referral.v1 to referral.other.v1'],
    ['a lost field', [event(withoutUrgency)], 'referral.submitted.v1 /urgency: is gone'],
    ['an optional field that is required', [event({ ...Before, code: z.string().max(20) })], 'referral.submitted.v1 /code: was optional and is required'],
    ['a new required field', [event({ ...Before, slot: Id })], 'referral.submitted.v1 /slot: is new and required'],
    ['a narrower list of codes', [event({ ...Before, urgency: z.enum(['stat', 'asap', 'urgent']) })], 'referral.submitted.v1 /urgency: no longer takes routine'],
    ['a closed list in place of text', [event({ ...Before, code: z.enum(['a']).optional() })], 'referral.submitted.v1 /code: was open and takes a closed list of codes'],
    ['another kind', [event({ ...Before, attempt: z.string() })], 'referral.submitted.v1 /attempt: was integer and is string'],
    ['a higher floor', [event({ ...Before, attempt: z.int().min(2).max(10) })], 'referral.submitted.v1 /attempt: takes no less than 2'],
    ['a lower ceiling', [event({ ...Before, attempt: z.int().min(1).max(9) })], 'referral.submitted.v1 /attempt: takes no more than 9'],
    ['a shorter list', [event({ ...Before, toOrgs: z.array(Id).max(2) })], 'referral.submitted.v1 /toOrgs: takes no more than 2'],
    ['other entries of a list', [event({ ...Before, toOrgs: z.array(z.string()).max(3) })], 'referral.submitted.v1 /toOrgs/*: was uuidv4 and is string'],
    ['a shorter text', [event({ ...Before, code: z.string().max(19).optional() })], 'referral.submitted.v1 /code: takes no more than 19'],
    ['a text that must match', [event({ ...Before, code: z.string().max(20).regex(/^a/).optional() })], 'referral.submitted.v1 /code: has another pattern'],
  ];

  it.each(planted)('reports %s', (_what, after, sentence) => {
    expect(breaks(after)).toContain(sentence);
  });

  it('refuses a schema whose narrowing it could not see', () => {
    expect(() => promisesOf([event({ either: z.union([z.string(), z.int()]) })])).toThrow();
    expect(() => promisesOf([event({ attempt: z.int().multipleOf(2) })])).toThrow();
  });

  it('accepts a new version, a new optional field with required ones below it, and more codes', () => {
    const wider = { ...Before, urgency: z.enum([...Urgency.options, 'whenever']), attempt: z.int().min(1).max(20), slot: z.strictObject({ slotId: Id }).optional() };
    expect(breaks([event(wider), event(Before, { type: 'referral.submitted.v2' })])).toEqual([]);
  });
});

describe('the rules of names and privacy', () => {
  const offences = (definition: EventDefinition): string[] => [...nameOffences(promisesOf([definition])), ...privacyOffences(promisesOf([definition]))];

  it.each([
    ['referral.submitted', 'referral.submitted is not called <service>.<past-tense>.v<N>'],
    ['referral.submit.v1', 'referral.submit.v1 does not say what has happened'],
    ['portal.opened.v1', 'portal.opened.v1 belongs to no service'],
    ['intake.opened.v1', 'intake.opened.v1 stands on the topic referral.referral.v1 of another service'],
  ])('report the name %s', (type, sentence) => {
    expect(offences(event(Before, { type }))).toContain(sentence);
  });

  it.each([
    ['firstName', Id, 'name'], ['phoneNumber', Id, 'phone'], ['homeAddress', Id, 'address'], ['birthYear', z.int(), 'birth'], ['nationality', Id, 'nationality'],
    ['diagnosisCode', Id, 'diagnosis'], ['needs', z.array(Id), 'needs'], ['categories', z.array(Id), 'categories'], ['caseId', Id, 'case'], ['personId', Id, 'person'],
  ])('report a field called %s', (field, schema, word) => {
    expect(offences(event({ contact: z.strictObject({ [field]: schema }) }))).toEqual([`referral.submitted.v1 /contact/${field}: no field is called "${word}"`]);
  });

  it('report free text and consent categories under any name', () => {
    expect(offences(event({ info: z.string().max(500) }))).toEqual(['referral.submitted.v1 /info: free text']);
    expect(offences(event({ shared: z.array(DataCategory) }))).toEqual(['referral.submitted.v1 /shared/*: consent categories']);
  });

  it('let a service have a name', () => {
    expect(offences(publishedEvents.get('referral.service-listed.v1')!)).toEqual([]);
  });
});

describe('npm run contracts', () => {
  let dir = '';
  afterEach(() => { rmSync(dir, { recursive: true, force: true }); });
  const copy = (): string => {
    dir = mkdtempSync(join(tmpdir(), 'contracts-'));
    cpSync(join(contractsDir, 'samples'), join(dir, 'samples'), { recursive: true });
    cpSync(join(contractsDir, 'schemas'), join(dir, 'schemas'), { recursive: true });
    cpSync(join(contractsDir, 'published.lock.json'), join(dir, 'published.lock.json'));
    return dir;
  };

  it('refuses to write a break, and writes nothing', () => {
    const broken = definitions.map((definition) => (definition.type === 'shelter.bed-held.v1' ? published(definition.type, definition.topic!, z.strictObject({ holdId: Id })) : definition));
    const lock = readLock(copy());
    expect(() => writeContracts(dir, broken)).toThrow(ContractRefused);
    expect(readLock(dir)).toEqual(lock);
  });

  it('has nothing to write where everything is committed', () => {
    expect(writeContracts(copy())).toEqual([]);
  });

  it('adds what is new and leaves the samples there are', () => {
    const sample = join(copy(), 'samples', 'shelter.hold-lost.v1.json');
    const own = { ...JSON.parse(readFileSync(sample, 'utf8')) as object, holdId: '1b7e2c52-7f43-4a53-9d0e-3f6f0d8f4c11' };
    writeFileSync(sample, JSON.stringify(own));
    const added = writeContracts(dir, [...definitions, event({ referralId: Id, urgency: Urgency }, { type: 'referral.submitted.v2' })]);
    expect(added).toEqual(['schemas/referral.submitted.v2.json', 'samples/referral.submitted.v2.json', 'published.lock.json'].map((file) => join(file)));
    expect(JSON.parse(readFileSync(sample, 'utf8'))).toEqual(own);
  });
});

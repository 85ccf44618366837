import { beforeAll, describe, expect, it } from '@jest/globals';
import { DataCategory, DeclineReason, OutcomeCode, Urgency } from '@amana/contracts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HtcdsCase, readHtcdsCases } from './htcds.ts';

const data = join(import.meta.dirname, '..', 'data', 'alice');
const network = join(import.meta.dirname, '..', '..', 'infra', 'local', 'network');

// Read as anybody would read it, without the runner's types: this spec guards the files, not the code.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
let story: Loose;
let directory: Loose;
let only: HtcdsCase;
const steps = (act: string): Loose[] => story.steps.filter((step: Loose) => step.act === act);

beforeAll(async () => {
  const json = async (path: string): Promise<Loose> => JSON.parse(await readFile(path, 'utf8'));
  [story, directory] = [await json(join(data, 'story.json')), await json(join(network, 'organisations.hsds.json'))];
  [only] = await readHtcdsCases(join(data, story.caseFile)) as [HtcdsCase];
});

describe('the input of the story', () => {
  it('plants strings that occur in what is entered, and in nothing that is told or listed', () => {
    const entered = JSON.stringify([only, story.details, story.sites, story.steps.map((step: Loose) => step.input)]);
    const told = JSON.stringify([story.steps.map((step: Loose) => step.tell), story.organisations, directory]);
    for (const planted of story.planted as string[]) {
      expect(entered).toContain(planted);
      expect(told).not.toContain(planted);
    }
  });

  it('plants something in every name, phone, address and note', () => {
    const texts = [
      only.prs_FirstName, only.prs_MiddleName, only.prs_SecondName, only.prs_IdentityNumber, only.prs_Email, only.prs_MobilePhone, only.prs_MailingStreet, only.cco_CaseComment,
      ...Object.values<string>(story.details), ...story.sites.map((site: Loose) => site.address),
      ...steps('record-safe-contact').map(({ input }) => input.codeName), ...steps('record-screening').map(({ input }) => input.narrative),
      ...steps('record-safety-plan').flatMap(({ input }) => [input.codeWord, ...input.steps]), ...steps('plan-arrival').map(({ input }) => input.meetingPoint),
    ];
    for (const text of texts) expect((story.planted as string[]).map((part) => part.toLowerCase()).filter((part) => String(text).toLowerCase().includes(part))).not.toEqual([]);
  });

  it('names only organisations, services and accounts that the network lists', async () => {
    const organisationIds = directory.organizations.map(({ id }: Loose) => id);
    const serviceIds = directory.organizations.flatMap(({ services }: Loose) => services.map(({ id }: Loose) => id));
    expect(organisationIds).toEqual(expect.arrayContaining(Object.values(story.organisations)));
    expect(serviceIds).toEqual(expect.arrayContaining(Object.values(story.services)));
    const { accounts } = JSON.parse(await readFile(join(network, 'accounts.json'), 'utf8'));
    const { clients } = JSON.parse(await readFile(join(network, 'clients.json'), 'utf8'));
    for (const actor of Object.values<Loose>(story.actors)) {
      const organisationId = story.organisations[actor.organisation];
      expect(accounts).toContainEqual(expect.objectContaining({ username: actor.username, organisationId }));
      expect(clients).toContainEqual(expect.objectContaining({ client_id: actor.clientId, organisationId }));
    }
    for (const { actor, input } of story.steps) {
      expect(Object.keys(story.actors)).toContain(actor);
      if (input.escort) expect(Object.keys(story.actors)).toContain(input.escort);
    }
  });

  it('goes forward in time, each step under a name of its own', () => {
    const times = story.steps.map(({ day, time }: Loose) => day * 1440 + Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
    expect(new Set(story.steps.map(({ id }: Loose) => id)).size).toBe(story.steps.length);
  });

  it('asks for consent to at most three recipients, each within the protocol\'s ceiling and offering the service named', () => {
    for (const { input } of steps('record-consent')) {
      expect(input.recipients.length).toBeLessThanOrEqual(3);
      for (const { organisation, service, categories } of input.recipients) {
        const listed = directory.organizations.find(({ id }: Loose) => id === story.organisations[organisation]);
        expect(DataCategory.array().parse(categories)).toEqual(categories);
        expect(listed['x-amana-protocol'].ceiling).toEqual(expect.arrayContaining(categories));
        if (input.purpose === 'service') expect(listed.services.map(({ id }: Loose) => id)).toContain(story.services[service]);
      }
    }
  });

  it('submits each referral after the consent it rests on, and closes each one', () => {
    const drafts = steps('draft-referral');
    expect(drafts.map(({ input }) => input.referral)).toEqual(['shelter', 'medical', 'psychosocial', 'vocational']);
    for (const { input } of drafts) {
      const order = ['record-consent', 'draft-referral', 'submit-referral', 'close-loop'].map((act) => story.steps.findIndex((step: Loose) =>
        step.act === act && (act === 'record-consent' ? step.id === input.consent : step.input.referral === input.referral)));
      expect(order).not.toContain(-1);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(Urgency.parse(input.urgency)).toBe(input.urgency);
    }
  });

  it('lets the first shelter decline for capacity and the second one take her, and uses the network\'s own codes', () => {
    const [decline] = steps('decline-referral');
    expect(DeclineReason.parse(decline.input.reasonCode)).toBe('no_capacity');
    const [shelters] = steps('record-consent').filter(({ id }) => id === 'consent-shelters');
    expect(shelters.input.recipients.map(({ organisation }: Loose) => organisation)).toEqual(['shelterB', 'shelterA']);
    expect(story.actors[decline.actor].organisation).toBe('shelterB');
    expect(story.actors[steps('hold-bed')[0]!.actor].organisation).toBe('shelterA');
    for (const { input } of [...steps('complete-referral'), ...steps('end-stay')]) expect(OutcomeCode.parse(input.outcomeCode)).toBe('delivered');
  });
});

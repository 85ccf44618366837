import { eventually } from '@amana/testing';
import type { HtcdsCase } from './htcds.ts';
import type { ActTable, Told } from './play.ts';
import type { World } from './story.ts';

const caseOf = (world: World, organisation: string): string => `/v1/intake/${world.organisation(organisation)}/cases/${world.need(`case:${organisation}`)}`;
const owner = (world: World, actor: string): string => world.story.actors[actor]!.organisation;
const dayAfter = (at: Date, days: number): string => new Date(at.getTime() + days * 86_400_000).toISOString().slice(0, 10);
const languages: Record<string, string> = { dyu: 'dyu', fra: 'fr', ara: 'ar', eng: 'en', wol: 'wo' };
const language = (code: string | undefined): string[] => (code ? [languages[code] ?? code] : []);

/** Her line of the case file in the words of an intake. */
function personOf(line: HtcdsCase, world: World) {
  return {
    identity: { givenName: line.prs_FirstName, familyName: line.prs_SecondName, ...(line.prs_MiddleName ? { knownAs: line.prs_MiddleName } : {}) },
    contact: { phone: line.prs_MobilePhone, email: line.prs_Email, address: `${line.prs_MailingStreet}, ${line.prs_MailingCity}`, note: line.cco_CaseComment },
    sex: line.prs_Gender === 'Feminine' ? 'female' : 'male', ageBand: world.ageBand(), birthYear: Number(line.prs_Birthdate?.slice(0, 4)),
    nationality: line.prs_Citizenship?.[0], languages: [...language(line.prs_PrimaryLanguage), ...language(line.prs_SecondaryLanguage)],
  };
}

/** What a worker writes down: first contact, safety, screening, needs, consent, and the case's way to its new owner. */
export const intakeActs: ActTable = {
  'import-case': async ({ world, actor, step }) => {
    const organisationId = actor.organisationId;
    const { body } = await actor.change<{ created: { caseId: string }[]; unchanged: { caseId: string }[] }>('POST', `/v1/intake/${organisationId}/case-imports`, {
      rows: [{ source: world.story.caseFile, externalId: `${String(step.input.sourceId)}-${world.dayZero.toISOString().slice(0, 10)}`, person: personOf(world.person, world), region: world.person.prs_MailingState, dependantsCount: world.person.prs_NumberOfChildren ?? 0 }],
    });
    const caseId = [...body.created, ...body.unchanged][0]!.caseId;
    world.known.set(`case:${owner(world, step.actor)}`, caseId);
    return ['a draft: consent not recorded, nothing can be shared'];
  },

  'record-first-contact': async ({ world, actor, step, at }) => {
    const { input } = step;
    const interpreter = input.interpreter as { needed: boolean; language: string } | undefined;
    const path = caseOf(world, owner(world, step.actor));
    await actor.change('POST', `${path}/first-contact`, {
      firstContact: {
        at: at.toISOString(), channel: 'walk_in', aloneAndSafeToTalk: input.aloneAndSafe, immediateDanger: input.immediateDanger, confidentialityLimitsExplainedAt: new Date(at.getTime() - 300_000).toISOString(),
        ...(interpreter?.needed ? { interpreterLanguage: interpreter.language } : {}), declinesServices: !input.wantsServices,
      },
      capacityToConsent: input.capacityToConsent,
    }, { on: path });
    return ['alone and safe to talk; limits of confidentiality told first'];
  },

  'record-safe-contact': async ({ world, actor, step, at }) => {
    const { input } = step;
    const path = caseOf(world, owner(world, step.actor));
    await actor.change('POST', `${path}/safe-contact`, {
      channel: input.channel, when: (input.times as string[]).join(', '), whoMayAnswer: input.whoMayAnswer, voicemail: input.voicemail, phoneShared: input.phoneShared, codeName: input.codeName, reviewOn: dayAfter(at, Number(input.reviewInDays)),
    }, { on: path });
    return ['sealed; to be asked again within 30 days'];
  },

  'record-screening': async ({ world, actor, step }) => {
    const { outcome, indicators } = step.input as { outcome: string; indicators: Record<string, string | string[]> };
    const path = caseOf(world, owner(world, step.actor));
    // She is asked about being counted apart from everything else: that answer comes with its own step.
    await actor.change('POST', `${path}/screening`, { outcome, indicatorCodes: Object.values(indicators).flat(), reportingConsent: false }, { on: path });
    for (const [category, text] of Object.entries(world.story.details)) await actor.change('POST', `${path}/notes`, { category, text }, { on: path });
    return [`outcome ${outcome}; what she told is sealed by category`];
  },

  'record-reporting-consent': async ({ world, actor, step }) => {
    const path = caseOf(world, owner(world, step.actor));
    const screening = world.story.steps.find((candidate) => candidate.act === 'record-screening')!.input as { outcome: string; indicators: Record<string, string | string[]> };
    await actor.change('POST', `${path}/screening`, { outcome: screening.outcome, indicatorCodes: Object.values(screening.indicators).flat(), reportingConsent: step.input.given }, { on: path });
    return ['she may be counted, without a name'];
  },

  'record-needs': async ({ world, actor, step }) => {
    const path = caseOf(world, owner(world, step.actor));
    const needs = (step.input.needs as { kind: string; urgency: string }[]);
    await actor.change('POST', `${path}/needs`, { needs: needs.map((need) => need.kind), urgency: needs[0]!.urgency }, { on: path });
    return [`in her order: ${needs.map((need) => need.kind).join(', ')}`];
  },

  'record-safety-plan': async ({ world, actor, step, at }) => {
    const { steps, safePeople, codeWord, reviewInDays } = step.input;
    const path = caseOf(world, owner(world, step.actor));
    await actor.change('POST', `${path}/safety-plan`, { steps, safePeople, codeWord, reviewOn: dayAfter(at, Number(reviewInDays)) }, { on: path });
    return ['sealed; never shared'];
  },

  'record-consent': async ({ world, actor, step, at }) => {
    const input = step.input as { purpose: string; validForDays: number; conversation: { language: string; interpreter: string; method: string; witness?: string }; recipients: { organisation: string; service?: string; categories: string[] }[] };
    const path = caseOf(world, owner(world, step.actor));
    const until = new Date(at.getTime() + input.validForDays * 86_400_000).toISOString();
    const { body } = await actor.change<{ consents: { consentRef: string; organisationId: string; serviceId?: string; receipt: string }[] }>('POST', `${path}/consents`, {
      conversation: {
        at: at.toISOString(), language: input.conversation.language, method: input.conversation.method, witnessed: Boolean(input.conversation.witness), alone: true,
        ...(input.conversation.interpreter === 'none' ? {} : { interpreterLanguage: input.conversation.language }),
      },
      recipients: input.recipients.map((recipient) => ({
        organisationId: world.organisation(recipient.organisation), categories: recipient.categories, purpose: input.purpose, until, ...(recipient.service ? { serviceId: world.service(recipient.service) } : {}),
      })),
      decision: 'given',
    }, { on: path });
    world.consents.set(step.id, body.consents);
    return input.recipients.map((recipient) => `receipt for ${recipient.organisation}: ${recipient.categories.join(', ')}`);
  },

  'offer-transfer': async ({ world, actor, step }) => {
    const consent = world.consents.get('consent-transfer')![0]!;
    const path = caseOf(world, owner(world, step.actor));
    const { body } = await actor.change<{ transferId: string }>('POST', `${path}/transfers`, { toOrg: world.organisation(String(step.input.to)), consentRef: consent.consentRef });
    world.known.set(step.id, body.transferId);
    return ['the association has an item that needs its answer; the case has not moved'];
  },

  'accept-transfer': async ({ world, actor, step }) => {
    const transferId = world.need(String(step.input.transfer));
    const from = world.organisation('first');
    await actor.change('POST', `/v1/intake/${from}/transfers/${transferId}/acceptance`, {}, { on: `/v1/intake/${from}/transfers/${transferId}` });
    return await newCase(world, step.actor, transferId);
  },

  'take-over-file': async ({ world, actor, step }) => {
    const transferId = world.need(String(step.input.transfer));
    const file = await actor.get<TransferFile>(`/v1/intake/${world.organisation('first')}/disclosures/${transferId}`);
    const { identity = {}, contact: { safeContact: _asked, ...contact } = {}, demographics, ...others } = file.body.data;
    const { sex, ageBand, birthYear, nationality, languages: spoken, interpreterLanguage, region, accessibility } = demographics!;
    const notes = Object.entries(others).flatMap(([category, content]) => (content && 'text' in content ? [{ category, text: content.text }] : []));
    const path = caseOf(world, owner(world, step.actor));
    await actor.change('POST', `${path}/file`, {
      person: { identity, contact, sex, ageBand, ...(birthYear ? { birthYear } : {}), ...(nationality ? { nationality } : {}), languages: spoken }, region: 'MA-09', accessibility,
      ...(interpreterLanguage ? { interpreterLanguage } : {}), dependantsCount: 0, notes, alreadyCounted: file.body.alreadyCounted ?? [],
    }, { on: path });
    return [`read: ${Object.keys(file.body.data).join(', ')} (she came from ${String(region)})`];
  },

  'hand-over-to-auditor': async ({ world, actor, step }) => {
    const path = caseOf(world, owner(world, step.actor));
    const { body } = await actor.change<{ tags: string[]; referrals: string[] }>('POST', `${path}/audit-handovers`, { reasonCode: step.input.reason });
    world.known.set('handed-over', JSON.stringify(body));
    return [`${body.tags.length} tags and ${body.referrals.length} referrals, no name`];
  },

  'read-own-figures': async ({ actor, step }) => {
    const { body } = await actor.get<Record<string, unknown>>(`/v1/intake/${actor.organisationId}/figures`);
    const figures = (body.figures ?? body) as Record<string, number>;
    for (const [name, expected] of Object.entries(step.input.expect as Record<string, number>)) {
      if (figures[name] !== expected) throw new Error(`The association's own figure ${name} is ${String(figures[name])} instead of ${expected}`);
    }
    return [Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`).join(', ')];
  },
};

interface TransferFile {
  data: { identity?: object; contact?: { safeContact?: object }; demographics?: Record<string, unknown>; [category: string]: object | undefined };
  alreadyCounted?: string[];
}

/** The new owner's intake opens a case of its own once the acceptance has arrived there. */
async function newCase(world: World, actorName: string, transferId: string): Promise<Told> {
  const actor = await world.actor(actorName);
  const mine = await eventually(async () => {
    const { body } = await actor.get<{ items: { transferId: string; caseId?: string }[] }>(`/v1/intake/${actor.organisationId}/incoming-transfers`);
    return body.items.find((item) => item.transferId === transferId)?.caseId;
  }, { withinMs: 30_000, what: 'the transferred case' });
  world.known.set(`case:${world.story.actors[actorName]!.organisation}`, mine);
  return ['exactly one owner: Casablanca keeps a stub, Souss-Massa has a case of its own'];
}

import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.ts';
import { granted, type OneService } from './one-service.ts';

/** Stands in every field of these fixtures that is sealed: seen anywhere else, it has leaked. */
export const plantedWord = 'Zelvorine-canary';

const ceiling = ['identity', 'contact', 'demographics', 'risk-safety', 'health-general'];
const hoursADay = 24;

/** A case at the desk that opened it, and the version at which it stands. */
export interface OpenedCase {
  readonly path: string;
  readonly caseId: string;
  readonly etag: string;
}

/** A referral on a case, as intake has heard of it. `tell` publishes what the referral service says of it next. */
export interface ReferredCase extends OpenedCase {
  readonly referralId: string;
  readonly consentRef: string;
  readonly disclosure: string;
  readonly tell: (type: string, data?: object) => Promise<void>;
}

/**
 * What is done at the desk of an organisation that receives people, told to a running intake service: bodies that are
 * in order unless changed, and the steps that lead to a case one can share and to a referral on it.
 */
export class IntakeDesk {
  readonly casa: string;
  readonly souss: string;
  readonly clinic: string;
  readonly shelter: string;
  readonly clinicService = randomUUID();
  readonly shelterService = randomUUID();
  /** An organisation that is listed and may receive nothing. */
  readonly suspended = randomUUID();
  readonly #house: OneService;

  constructor(house: OneService) {
    this.#house = house;
    const [casa, souss, clinic, shelter] = ['casa-system', 'souss-system', 'clinic-system', 'shelter-a-system'].map((client) => house.system(client).organisationId);
    this.casa = casa!;
    this.souss = souss!;
    this.clinic = clinic!;
    this.shelter = shelter!;
  }

  /** Resolves once the service knows who else there is. */
  async open(): Promise<void> {
    const { clinic, shelter, suspended, clinicService, shelterService } = this;
    for (const organisationId of [this.souss, clinic, shelter, suspended]) {
      await this.#house.publish('referral.organisation-listed.v1', { organisationId, name: 'Invented', status: organisationId === suspended ? 'suspended' : 'active', protocolVersion: '1', ceiling });
    }
    for (const [serviceId, organisationId] of [[clinicService, clinic], [shelterService, shelter]]) {
      await this.#house.publish('referral.service-listed.v1', { serviceId, organisationId, kind: 'health', name: 'Invented', status: 'active', sexes: [], families: true, languages: [], regions: [] });
    }
    await eventually(async () => (await this.#house.rows('SELECT 1 FROM organisation UNION ALL SELECT 1 FROM service')).length === 6, { what: 'the directory' });
  }

  readonly cases = (organisationId = this.souss): string => `/v1/intake/${organisationId}/cases`;

  readonly inDays = (days: number): string => this.#house.after(days * hoursADay);

  readonly firstContact = (changes: object = {}): object => ({
    at: this.inDays(0), channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, confidentialityLimitsExplainedAt: this.inDays(-1), interpreterLanguage: 'dyu', declinesServices: false, ...changes,
  });

  readonly person = (changes: object = {}): object => ({
    identity: { givenName: plantedWord, familyName: plantedWord }, contact: { phone: `+212 ${plantedWord}` }, sex: 'female', ageBand: '18-24', birthYear: 2000, nationality: 'CIV', languages: ['dyu', 'fr'],
    capacityToConsent: 'yes', ...changes,
  });

  readonly opening = (changes: object = {}): object => ({
    firstContact: this.firstContact(), person: this.person(), region: 'MA-09', dependantsCount: 1, accessibility: ['step-free'], narrative: `${plantedWord} narrative`, ...changes,
  });

  readonly conversation = (): object => ({ at: this.inDays(0), language: 'dyu', interpreterLanguage: 'dyu', method: 'oral', witnessed: true, alone: true });

  readonly toClinic = (changes: object = {}): object => ({ organisationId: this.clinic, serviceId: this.clinicService, categories: ['identity', 'health-general'], purpose: 'service', ...changes });

  /** What she agreed to, or did not, for these recipients. */
  readonly consent = (recipients: object[] = [this.toClinic()], decision: 'given' | 'refused' = 'given'): object => ({ conversation: this.conversation(), recipients, decision });

  /** Does each step of a case with the version of the step before; answers the last version. Throws on the first refusal. */
  readonly steps = async (client: string, { path, etag }: { path: string; etag: string }, acts: readonly (readonly [string, object])[]): Promise<string> => {
    let ifMatch = etag;
    for (const [name, body] of acts) ({ etag: ifMatch } = await granted(this.#house.post(client, `${path}/${name}`, { body, ifMatch })));
    return ifMatch;
  };

  /** A case that is screened and can be contacted, with a note on health: ready for her consent. */
  readonly readyCase = async (client = 'souss-system'): Promise<OpenedCase> => {
    const cases = this.cases(this.#house.system(client).organisationId);
    const opened = await granted(this.#house.post(client, cases, { body: this.opening() }));
    const caseId = String(opened.body.caseId);
    const path = `${cases}/${caseId}`;
    const etag = await this.steps(client, { path, etag: opened.etag }, [
      ['screening', { outcome: 'presumed', indicatorCodes: ['FalsePromises', 'DomesticWork'], reportingConsent: true }],
      ['safe-contact', { channel: 'phone', voicemail: false, phoneShared: true, codeName: plantedWord, reviewOn: this.inDays(20).slice(0, 10) }],
      ['notes', { category: 'health-general', text: `${plantedWord} health` }],
    ]);
    return { path, caseId, etag };
  };

  /** A ready case with her consent for the clinic, and a referral to it that has come so far. */
  readonly referred = async (status: 'submitted' | 'accepted'): Promise<ReferredCase> => {
    const ready = await this.readyCase();
    const { body, etag } = await granted(this.#house.post('souss-system', `${ready.path}/consents`, { body: this.consent(), ifMatch: ready.etag }));
    const [{ consentRef }] = body.consents as [{ consentRef: string }];
    const referralId = randomUUID();
    const tell = (type: string, data: object = {}): Promise<void> => this.#house.publish(type, { referralId, fromOrg: this.souss, toOrg: this.clinic, ...data }, referralId);
    const clocks = { ackBy: this.inDays(1), decideBy: this.inDays(2), serveBy: this.inDays(3), expiresAt: this.inDays(3) };
    const care = { consentRef, serviceKind: 'health', urgency: 'urgent' };
    await tell('referral.submitted.v1', { toServiceId: this.clinicService, ...care, dependantsCount: 1, occurredAt: this.inDays(0), deliveryMode: 'system', ...clocks });
    if (status === 'accepted') await tell('referral.accepted.v1', { ...care, serveBy: clocks.serveBy });
    await eventually(async () => (await this.#house.rows('SELECT 1 FROM referral_link WHERE referral_id = $1 AND status = $2', [referralId, status])).length === 1, { what: 'the referral' });
    return { ...ready, etag, referralId, consentRef, disclosure: `/v1/intake/${this.souss}/disclosures/${referralId}`, tell };
  };

  /** What left for the bus and should not have: ids of cases, and the planted word. */
  readonly leaked = async (): Promise<string[]> => {
    const published = await this.#house.rows<{ row: string }>('SELECT key || data::text || meta::text AS row FROM published_event');
    const cases = await this.#house.rows<{ id: string }>('SELECT case_id::text AS id FROM case_board');
    if (published.length === 0 || cases.length === 0) throw new Error('Nothing was published that could have leaked');
    return [plantedWord, ...cases.map(({ id }) => id)].filter((word) => published.some(({ row }) => row.includes(word)));
  };
}

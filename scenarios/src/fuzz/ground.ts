import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ClientKeyFile, clientKeyPath, keepSandboxCredentials, networkDir, readClients, readJsonFile, type Stack, TokenSource } from '@amana/local';
import { eventually } from '@amana/testing';
import { Actor } from '../network-client.ts';
import { readStory } from '../story.ts';

/** Who may call: a partner system, or the administrator who has no system. */
export interface Caller { readonly name: string; readonly organisationId: string; readonly roles: readonly string[]; readonly actor: Actor; readonly tokens: TokenSource }

export type CallerName = 'souss' | 'casa' | 'clinic' | 'shelter' | 'coordination' | 'audit' | 'operator' | 'admin';
type Referrals = 'draft' | 'asked' | 'accepted' | 'sheltered' | 'askedOfShelter';
type Others = 'case' | 'transfer' | 'consent' | 'withdrawn' | 'withdrawnFromShelter' | 'appointment' | 'hold' | 'site' | 'webhook' | 'delivery' | 'item' | 'tag' | 'entry';
type Ids = Readonly<Record<Referrals | Others, string>>;

/** A network with one of everything that a path can name. */
export interface Ground {
  readonly callers: Readonly<Record<CallerName, Caller>>;
  readonly ids: Ids;
  readonly services: Readonly<Record<string, string>>;
  readonly receipt: string;
  /** Where a webhook may lead. */
  readonly receiverUrl: string;
  /** The account that may open the arrival plan. */
  readonly escort: string;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();
const person = { identity: { givenName: 'Tamsile', familyName: 'Aberkone' }, contact: { phone: '+212600000552' }, sex: 'female', ageBand: '25-34', birthYear: 1996, languages: ['fr'], capacityToConsent: 'yes' };
const conversation = () => ({ at: new Date().toISOString(), language: 'fr', method: 'oral', witnessed: true, alone: true });

interface Consented { readonly consents: { readonly consentRef: string; readonly receipt: string }[] }

/** Plays just enough that every kind of thing exists, each in a state that something can be asked of. */
export async function prepare(stack: Stack): Promise<Ground> {
  const { story } = await readStory(join(import.meta.dirname, '../../data/alice/story.json'));
  const callers = await signIn(stack);
  const { souss, clinic, shelter, admin } = callers;
  const receiver = await listen();
  const receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/told`;
  const webhook = await admin.actor.change<{ webhookId: string }>('POST', '/v1/notifications/webhooks', { url: receiverUrl });
  await admin.actor.change('POST', '/v1/notifications/mail-addresses', { address: 'desk@example.org' });
  const file = await openCase(souss);
  const toClinic = { organisationId: clinic.organisationId, serviceId: story.services.clinic!, categories: ['demographics', 'health-general'], purpose: 'service' };
  const toShelter = { organisationId: shelter.organisationId, serviceId: story.services.shelterA!, categories: ['demographics', 'risk-safety'], purpose: 'service' };
  const refer = (consent: { receipt: string }, serviceId: string, more: object = {}): Promise<string> => draft(souss, { recipients: [{ serviceId, receipt: consent.receipt }], urgency: 'routine', ...more });
  const agree = async (recipient: object) => (await souss.actor.change<Consented>('POST', `${file}/consents`, { conversation: conversation(), recipients: [recipient], decision: 'given' }, { on: file })).body.consents[0]!;
  const [medical, ended, house, left] = [await agree(toClinic), await agree(toClinic), await agree(toShelter), await agree(toShelter)];

  const sent = async (consent: { receipt: string }, serviceId: string, more: object = {}): Promise<string> => {
    const referralId = await refer(consent, serviceId, more);
    await souss.actor.change('POST', `/v1/referral/referrals/${referralId}/submission`, {}, { on: `/v1/referral/referrals/${referralId}` });
    return referralId;
  };
  const placed = { placementClass: 'woman' };
  const [drafted, asked, accepted, over] = [await refer(medical, toClinic.serviceId), await sent(medical, toClinic.serviceId), await sent(medical, toClinic.serviceId), await sent(ended, toClinic.serviceId)];
  const [sheltered, askedOfShelter, gone] = [await sent(house, toShelter.serviceId, placed), await sent(house, toShelter.serviceId, placed), await sent(left, toShelter.serviceId, placed)];
  const appointment = await attend(clinic, accepted, over);
  const stay = await hold({ shelter, souss, referralId: sheltered, serviceId: toShelter.serviceId });
  await placeHold(shelter, gone);
  for (const { consentRef } of [ended, left]) await souss.actor.change('POST', `${file}/consents/${consentRef}/withdrawal`, { service: 'stop', recordedHow: 'in_person', alone: true, scope: 'whole' });
  const tags = (await souss.actor.change<{ tags: string[] }>('POST', `${file}/audit-handovers`, {})).body.tags;
  const entry = await eventually(async () => (await callers.audit.actor.get<{ entries: { entryId: string }[] }>(`/v1/audit/referrals/${accepted}`)).body.entries[0]?.entryId, { what: 'an audit entry' });
  await eventually(() => callers.audit.actor.get(`/v1/audit/entries/${entry}/proof`).then(() => true, () => false), { what: 'its place in the ledger' });
  const transfer = await offer(callers);
  const delivery = await eventually(async () => (await admin.actor.get<{ items: { deliveryId: string }[] }>('/v1/notifications/deliveries?status=delivered')).body.items[0]?.deliveryId, { what: 'a delivered message' });
  await eventually(async () => (await admin.actor.get<{ items: unknown[] }>('/v1/notifications/deliveries?status=waiting')).body.items.length === 0, { what: 'nothing left to deliver' });
  const item = (await souss.actor.get<{ items: { itemId: string }[] }>('/v1/notifications/items')).body.items[0]!.itemId;
  return {
    callers, services: story.services, receipt: medical.receipt, receiverUrl, escort: stay.escort,
    ids: {
      case: file.split('/').at(-1)!, draft: drafted, asked, accepted, sheltered, askedOfShelter, transfer, consent: medical.consentRef, withdrawn: ended.consentRef, withdrawnFromShelter: left.consentRef, appointment, hold: stay.hold, site: stay.site, webhook: webhook.body.webhookId,
      delivery, item, tag: tags[0]!, entry,
    },
    stop: () => new Promise((resolve) => { receiver.close(() => resolve()); receiver.closeAllConnections(); }),
  };
}

async function signIn(stack: Stack): Promise<Record<CallerName, Caller>> {
  const { stateDir } = stack.options;
  const clients = await readClients(join(networkDir, 'clients.json'));
  const system = async (clientId: string): Promise<Caller> => {
    const key = await readJsonFile(clientKeyPath(stateDir, clientId), ClientKeyFile);
    const tokens = TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId, privateJwk: key.privateJwk });
    const { organisationId, roles } = clients.find((client) => client.client_id === clientId)!;
    return { name: clientId, organisationId, roles, tokens, actor: new Actor({ username: clientId, organisationId, baseUrl: stack.url, tokens }) };
  };
  const [souss, casa, clinic, shelter] = [await system('souss-system'), await system('casa-system'), await system('clinic-system'), await system('shelter-a-system')];
  const [coordination, audit, operator] = [await system('coordination-system'), await system('audit-system'), await system('operator-system')];
  const { sandboxPassword: password } = await keepSandboxCredentials(stateDir);
  const tokens = TokenSource.forStaff({ issuerUrl: stack.issuer.url, username: 'souss-admin', password, scope: 'care:read care:write' });
  const admin: Caller = { name: 'souss-admin', organisationId: souss.organisationId, roles: ['org-admin'], tokens, actor: new Actor({ username: 'souss-admin', organisationId: souss.organisationId, baseUrl: stack.url, tokens }) };
  return { souss, casa, clinic, shelter, coordination, audit, operator, admin };
}

async function openCase(caller: Caller): Promise<string> {
  const at = new Date(Date.now() - 60_000).toISOString();
  const { body } = await caller.actor.change<{ caseId: string }>('POST', `/v1/intake/${caller.organisationId}/cases`, {
    firstContact: { at, channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, confidentialityLimitsExplainedAt: at, declinesServices: false }, person, region: 'MA-09',
  });
  const file = `/v1/intake/${caller.organisationId}/cases/${body.caseId}`;
  await caller.actor.change('POST', `${file}/safe-contact`, { channel: 'phone', voicemail: false, phoneShared: false, reviewOn: inDays(20).slice(0, 10) }, { on: file });
  await caller.actor.change('POST', `${file}/screening`, { outcome: 'presumed', reportingConsent: true }, { on: file });
  return file;
}

async function draft(caller: Caller, body: object): Promise<string> {
  return (await caller.actor.change<{ referralId: string }>('POST', '/v1/referral/referrals', body)).body.referralId;
}

/** Two referrals accepted, one with an appointment; both have been read. */
async function attend(clinic: Caller, referralId: string, other: string): Promise<string> {
  for (const each of [referralId, other]) {
    const referral = `/v1/referral/referrals/${each}`;
    await clinic.actor.change('POST', `${referral}/acceptance`, { responsibleRole: 'nurse' }, { on: referral });
    const { links } = (await clinic.actor.get<{ links: { disclosure: string } }>(referral)).body;
    await clinic.actor.get(links.disclosure);
  }
  const { body } = await clinic.actor.change<{ appointmentId: string }>('POST', `/v1/health/${clinic.organisationId}/medical-referrals/${referralId}/appointments`, { startsAt: inDays(2) });
  return body.appointmentId;
}

async function hold(options: { shelter: Caller; souss: Caller; referralId: string; serviceId: string }): Promise<{ hold: string; site: string; escort: string }> {
  const { shelter, souss, referralId, serviceId } = options;
  const house = `/v1/shelter/${shelter.organisationId}`;
  const beds = ['1', '2', '3', '4'].map((code) => ({ code: `B${code}` }));
  const site = await shelter.actor.change<{ siteId: string }>('POST', `${house}/sites`, { serviceId, code: 'S1', address: '4 rue Tazbiyelt, Agadir', placementClasses: ['woman'], rooms: [{ code: 'R1', beds }] });
  const holdId = await placeHold(shelter, referralId);
  await shelter.actor.change('PUT', `${house}/arrival-plans/${referralId}`, { meetingPoint: 'The pharmacy by the station', meetAt: inDays(1), askForRole: 'focal-point' }, { on: `${house}/holds/${holdId}` });
  const escort = (await readClients(join(networkDir, 'clients.json'))).find((client) => client.client_id === souss.name)!.accountId;
  await souss.actor.change('PUT', `${house}/arrival-plans/${referralId}/escort`, { escortSubject: escort });
  return { hold: holdId, site: site.body.siteId, escort };
}

async function placeHold(shelter: Caller, referralId: string): Promise<string> {
  const house = `/v1/shelter/${shelter.organisationId}`;
  const { body: { holdId } } = await shelter.actor.change<{ holdId: string }>('POST', `${house}/holds`, { referralId, placementClass: 'woman', responsibleRole: 'focal-point' });
  await eventually(async () => (await shelter.actor.get<{ state: string }>(`${house}/holds/${holdId}`)).body.state === 'confirmed', { what: 'the confirmed hold' });
  return holdId;
}

/** Another association's case, offered and not yet answered. */
async function offer({ casa, souss }: Readonly<Record<CallerName, Caller>>): Promise<string> {
  const file = await openCase(casa);
  const recipient = { organisationId: souss.organisationId, categories: ['identity', 'demographics'], purpose: 'transfer' };
  const { body } = await casa.actor.change<Consented>('POST', `${file}/consents`, { conversation: conversation(), recipients: [recipient], decision: 'given' }, { on: file });
  const transfer = await casa.actor.change<{ transferId: string }>('POST', `${file}/transfers`, { toOrg: souss.organisationId, consentRef: body.consents[0]!.consentRef });
  return transfer.body.transferId;
}

/** Takes every message: nothing of it is retried while rows are counted. */
async function listen(): Promise<Server> {
  const server = createServer((request, response) => { request.resume().once('end', () => response.writeHead(204).end()); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return server;
}

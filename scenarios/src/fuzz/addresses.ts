import type { Operation } from './document.ts';
import type { Caller, CallerName, Ground } from './ground.ts';
import type { Usual } from './values.ts';

/** A request that would be heard: who asks, about what, and the stream whose version a change names. */
export interface Address { readonly caller: Caller; readonly params: Readonly<Record<string, string>>; readonly stream: string }

/** The caller and the things that exist for an operation. Throws where a path takes what this network does not have. */
export function addressOf(operation: Operation, ground: Ground): Address {
  const { ids } = ground;
  const caller = ground.callers[callerOf(operation)];
  const referral = referralOf(operation, ground);
  const values: Readonly<Record<string, string>> = {
    organisationId: ground.callers[ownerOf(operation) ?? callerOf(operation)].organisationId, caseId: ids.case, referralId: referral, transferId: ids.transfer, consentRef: consentOf(operation, ground),
    appointmentId: ids.appointment, holdId: ids.hold, siteId: ids.site, webhookId: ids.webhook, deliveryId: ids.delivery, itemId: ids.item, mailAddressId: caller.organisationId, tag: ids.tag, code: 'not-found', eventId: ids.item, entryId: ids.entry, level: '0', index: '0',
  };
  const params = Object.fromEntries(operation.parameters('path').map(({ name }) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${operation.name}: nothing stands for {${name}} in the prepared network`);
    return [name, value];
  }));
  return { caller, params, stream: streamOf(operation, params, ids.hold) };
}

/** What fields of these names usually hold in the prepared network: ids that exist, times that may be, answers that lead on. */
export function usualIn(ground: Ground): Usual {
  const { ids, callers, services } = ground;
  const organisations = [callers.clinic, callers.shelter, callers.souss].map(({ organisationId }) => organisationId);
  const anyService = [services.clinic, services.clinic, services.shelterA];
  const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
  const ahead = (days: number): string => ago(-days * 1_440);
  const values: Readonly<Record<string, readonly unknown[]>> = {
    organisationId: organisations, toOrg: organisations, serviceId: anyService, matchedServiceIds: anyService, alternatives: anyService, referralId: [ids.asked, ids.askedOfShelter, ids.sheltered], caseId: [ids.case],
    consentRef: [ids.consent, ids.withdrawn], receipt: [ground.receipt], escortSubject: [ground.escort], url: [ground.receiverUrl], at: [ago(2)], confidentialityLimitsExplainedAt: [ago(9)], occurredAt: [ago(5)], arrivedAt: [ago(3)],
    endedAt: [ago(1)], until: [ahead(30)], startsAt: [ahead(3)], meetAt: [ahead(1)], arriveBy: [ahead(1)], serveBy: [ahead(4)], firstContactAt: [ahead(1)], reviewOn: [ahead(10).slice(0, 10)], ageBand: ['25-34'], birthYear: [1990],
    capacityToConsent: ['yes'], aloneAndSafeToTalk: [true], declinesServices: [false], decision: ['given'], purpose: ['service'], categories: ['demographics', 'health-general'], placementClass: ['woman'], bedsCount: [1], witnessed: [true], alone: [true],
    status: ['active'], outcome: ['presumed', 'delivered'], attended: [true],
  };
  return (name) => values[name] ?? [];
}

/** Whoever may do the same elsewhere: their role suffices, and what is asked for is another organisation's. */
export function othersThan(caller: Caller, operation: Operation, ground: Ground): Caller[] {
  return Object.values(ground.callers).filter(({ roles, organisationId }) => organisationId !== caller.organisationId && roles.some((role) => operation.roles.includes(role)));
}

/** Everyone whom no role permits the act. */
export function strangersTo(operation: Operation, ground: Ground): Caller[] {
  return Object.values(ground.callers).filter(({ roles }) => !roles.some((role) => operation.roles.includes(role)));
}

function callerOf({ service, template, method, roles }: Operation): CallerName {
  if (roles.length === 1 && roles[0] === 'operator') return 'operator';
  if (service === 'health') return 'clinic';
  if (service === 'shelter') return roles.includes('shelter-staff') ? 'shelter' : 'souss';
  if (template.includes('/disclosures/')) return 'clinic';
  if (template.endsWith('/referrals') && method === 'GET') return 'clinic';
  if (roles.includes('case-worker') || roles.includes('supervisor')) return 'souss';
  if (roles.includes('focal-point')) return 'clinic';
  if (roles.includes('coordinator')) return 'coordination';
  if (roles.includes('auditor')) return 'audit';
  if (roles.includes('operator')) return 'operator';
  return roles.includes('org-admin') ? 'admin' : 'souss';
}

/** Whose organisation stands in the path, where it is not the caller's own. */
function ownerOf({ service, template }: Operation): CallerName | undefined {
  if (service === 'shelter') return 'shelter';
  if (/\/transfers\/\{transferId\}/.test(template)) return 'casa';
  return template.includes('/disclosures/') ? 'souss' : undefined;
}

function referralOf({ service, template, roles }: Operation, { ids }: Ground): string {
  if (service === 'shelter') return ids.sheltered;
  if (service !== 'referral') return ids.accepted;
  if (template.endsWith('/submission')) return ids.draft;
  if (/\/(start|completion|failure)$/.test(template)) return ids.accepted;
  return roles.includes('case-worker') ? ids.accepted : ids.asked;
}

function consentOf({ service }: Operation, { ids }: Ground): string {
  if (service === 'shelter') return ids.withdrawnFromShelter;
  return service === 'health' ? ids.withdrawn : ids.consent;
}

function streamOf({ template }: Operation, params: Readonly<Record<string, string>>, hold: string): string {
  if (template.includes('/arrival-plans/')) return hold;
  if (template.includes('/appointments/')) return params.referralId!;
  return Object.values(params).at(-1) ?? hold;
}

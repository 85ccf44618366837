import type { Operation } from './document.ts';
import type { Caller, CallerName, Ground } from './ground.ts';
import type { KnownIds } from './values.ts';

/** A request that would be heard: who asks, about what, and the stream whose version a change names. */
export interface Address { readonly caller: Caller; readonly params: Readonly<Record<string, string>>; readonly stream: string }

/** The caller and the things that exist for an operation. Throws where a path takes what this network does not have. */
export function addressOf(operation: Operation, ground: Ground): Address {
  const { ids } = ground;
  const caller = ground.callers[callerOf(operation)];
  const referral = referralOf(operation, ground);
  const values: Readonly<Record<string, string>> = {
    organisationId: ground.callers[ownerOf(operation) ?? callerOf(operation)].organisationId, caseId: ids.case, referralId: referral, transferId: ids.transfer, consentRef: operation.template.includes('/disposals/') ? ids.withdrawn : ids.consent,
    appointmentId: ids.appointment, holdId: ids.hold, siteId: ids.site, webhookId: ids.webhook, deliveryId: ids.delivery, itemId: ids.item, mailAddressId: caller.organisationId, tag: ids.tag, code: 'not-found', eventId: ids.item,
  };
  const params = Object.fromEntries(operation.parameters('path').map(({ name }) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${operation.name}: nothing stands for {${name}} in the prepared network`);
    return [name, value];
  }));
  return { caller, params, stream: streamOf(operation, params, ids.hold) };
}

/** Ids that exist, for fields and parameters that are named after what they take. */
export function knownIdsOf(ground: Ground): KnownIds {
  const { ids, callers, services } = ground;
  const organisations = Object.values(callers).map(({ organisationId }) => organisationId);
  const known: Readonly<Record<string, readonly string[]>> = {
    organisationId: organisations, toOrg: organisations, serviceId: Object.values(services), matchedServiceIds: Object.values(services), alternatives: Object.values(services), referralId: [ids.asked, ids.askedOfShelter, ids.sheltered],
    caseId: [ids.case], consentRef: [ids.consent, ids.withdrawn], receipt: [ground.receipt], escortSubject: [ground.escort],
  };
  return (name) => known[name] ?? [];
}

/** Everyone whom no role permits the act. */
export function strangersTo(operation: Operation, ground: Ground): Caller[] {
  return Object.values(ground.callers).filter(({ roles }) => !roles.some((role) => operation.roles.includes(role)));
}

function callerOf({ service, template, method, roles }: Operation): CallerName {
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

function streamOf({ template }: Operation, params: Readonly<Record<string, string>>, hold: string): string {
  if (template.includes('/arrival-plans/')) return hold;
  if (template.includes('/appointments/')) return params.referralId!;
  return Object.values(params).at(-1) ?? hold;
}

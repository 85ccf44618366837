import { type AgeBand, type directoryEvents, type DomainEvent, type EventOf, Instant, type Language, privateEvent, type Region, type ServiceKind, type Sex } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

export const DirectoryImported = privateEvent('referral.directory-imported.v1', z.strictObject({ organisations: z.int(), services: z.int(), at: Instant }));

export type DirectoryEvent = EventOf<typeof directoryEvents> | { readonly type: 'referral.directory-imported.v1'; readonly data: z.infer<typeof DirectoryImported.data> };

/** One entry of the directory (an organisation or a service), or the record of one import. */
export type DirectoryEntry = { readonly kind: 'none' } | { readonly kind: 'entry'; readonly listed: string } | { readonly kind: 'import'; readonly organisations: number; readonly services: number };

export const directoryDecider: Decider<DirectoryEntry, DirectoryEvent> = {
  initial: { kind: 'none' },
  evolve: (_state, event) => (event.type === 'referral.directory-imported.v1'
    ? { kind: 'import', organisations: event.data.organisations, services: event.data.services }
    : { kind: 'entry', listed: JSON.stringify(event.data) }),
};

/** Lists an entry as it now is; importing the same file again changes nothing. */
export function list<Event extends DirectoryEvent & DomainEvent>(state: DirectoryEntry, event: Event): readonly Event[] {
  return state.kind === 'entry' && state.listed === JSON.stringify(event.data) ? [] : [event];
}

/** What a match is asked about: facts that travel in a body and are not kept. */
export interface Needs {
  readonly kind: ServiceKind;
  readonly sex: Sex;
  readonly ageBand: AgeBand;
  readonly languages: readonly Language[];
  readonly dependantsCount: number;
  readonly region: Region;
}

export interface Listed {
  readonly serviceId: string;
  readonly organisationId: string;
  readonly name: string;
  readonly kind: ServiceKind;
  readonly status: string;
  readonly organisationStatus: string;
  readonly protocolVersion: string | null;
  readonly minimumAge: number | null;
  readonly maximumAge: number | null;
  readonly sexes: readonly string[];
  readonly families: boolean;
  readonly languages: readonly string[];
  readonly regions: readonly string[];
  readonly capacityStatus: string | null;
  readonly capacityBand: string | null;
  readonly capacityAsOf: Date | null;
  readonly assuredOn: string | null;
}

export interface Match {
  readonly serviceId: string;
  readonly organisationId: string;
  readonly name: string;
  readonly fits: boolean;
  /** Codes of what speaks against it, or for it when it fits. */
  readonly reasons: readonly string[];
  /** What to check before relying on it. */
  readonly warnings: readonly string[];
}

const dayMs = 24 * 3_600_000;
/** After these a directory's word is old: it is shown with a warning, not hidden. */
const staleAfterDays = { capacity: 7, profile: 90 } as const;
const agesOf: Record<AgeBand, readonly [number, number]> = { '0-14': [0, 14], '15-17': [15, 17], '18-24': [18, 24], '25-34': [25, 34], '35+': [35, 150] };

/** Which services can take this person, each with its reasons: those that fit first, with free places before full ones. */
export function match(services: readonly Listed[], needs: Needs, now: Date): Match[] {
  return services.filter((service) => service.kind === needs.kind).map((service) => judge(service, needs, now))
    .sort((a, b) => Number(b.fits) - Number(a.fits) || Number(a.warnings.includes('no-capacity')) - Number(b.warnings.includes('no-capacity')) || a.name.localeCompare(b.name) || a.serviceId.localeCompare(b.serviceId));
}

function judge(service: Listed, needs: Needs, now: Date): Match {
  const against: string[] = [];
  if (service.status !== 'active') against.push('service-not-active');
  if (service.organisationStatus !== 'active') against.push('organisation-suspended');
  if (!service.protocolVersion) against.push('no-protocol');
  if (service.sexes.length > 0 && !service.sexes.includes(needs.sex)) against.push('not-eligible-sex');
  const [youngest, oldest] = agesOf[needs.ageBand];
  if ((service.minimumAge ?? 0) > oldest || (service.maximumAge ?? 150) < youngest) against.push('not-eligible-age');
  if (needs.dependantsCount > 0 && !service.families) against.push('no-families');
  if (service.regions.length > 0 && !service.regions.includes(needs.region)) against.push('out-of-area');
  const shared = needs.languages.filter((language) => service.languages.includes(language));
  const reasons = against.length > 0 ? against : ['eligible', ...shared.map((language) => `speaks-${language.toLowerCase()}`)];
  return { serviceId: service.serviceId, organisationId: service.organisationId, name: service.name, fits: against.length === 0, reasons, warnings: warningsOf(service, shared.length > 0, now) };
}

function warningsOf(service: Listed, sharesLanguage: boolean, now: Date): string[] {
  const olderThan = (days: number, at: number | undefined) => at === undefined || now.getTime() - at > days * dayMs;
  const warnings: string[] = [];
  if (service.capacityStatus && service.capacityStatus !== 'capacity') warnings.push(service.capacityStatus);
  if (olderThan(staleAfterDays.capacity, service.capacityAsOf?.getTime())) warnings.push('capacity-unknown-for-7-days');
  if (olderThan(staleAfterDays.profile, service.assuredOn ? Date.parse(service.assuredOn) : undefined)) warnings.push('profile-older-than-90-days');
  if (!sharesLanguage) warnings.push('interpreter-needed');
  return warnings;
}


import { type EventDefinition, shelterEvents } from '@amana/contracts';
import { disposalsOf, OnConsentWithdrawn } from '@amana/holding';
import type { ServiceDefinition } from '@amana/service';
import { Capacities } from './capacities.ts';
import { AttestDisposal } from './commands/attest-disposal.ts';
import { KeepStay } from './commands/keep-stay.ts';
import { OpenArrivalPlan } from './commands/open-arrival-plan.ts';
import { OpenSite } from './commands/open-site.ts';
import { PlaceHold } from './commands/place-hold.ts';
import { PlanArrival } from './commands/plan-arrival.ts';
import { ReleaseHold } from './commands/release-hold.ts';
import { ExpireHold, ReleaseWithdrawnHold } from './due/hold-clocks.ts';
import { RecountBeds } from './due/recount-beds.ts';
import { holding } from './holding.ts';
import { holdClocks, Holds, holdTables } from './holds.ts';
import { Shelter1700000000201 } from './migrations/0001-shelter.ts';
import { OnReferralAccepted } from './reactions/on-referral-accepted.ts';
import { OnReferralEnded } from './reactions/on-referral-ended.ts';
import { OnReferralMoved } from './reactions/on-referral-moved.ts';
import { OnServiceListed } from './reactions/on-service-listed.ts';
import { HoldReads } from './reads/hold-reads.ts';
import { ReferralList } from './reads/referral-list.ts';
import { SiteReads } from './reads/site-reads.ts';
import { Sites, siteTables } from './sites.ts';

/** Sites, beds, holds and stays: a bed is taken where it is, and where that is stays there. */
export const ShelterService: ServiceDefinition = {
  name: 'shelter',
  purpose: 'Keeps a shelter\'s secret sites, holds beds for referrals, plans arrivals and records stays.',
  controllers: [OpenSite, PlaceHold, ReleaseHold, KeepStay, PlanArrival, OpenArrivalPlan, AttestDisposal, SiteReads, ReferralList, HoldReads],
  reactions: [OnServiceListed, OnReferralMoved, OnReferralAccepted, OnReferralEnded, OnConsentWithdrawn],
  projections: [siteTables, holdTables, holdClocks],
  due: [ExpireHold, ReleaseWithdrawnHold, RecountBeds],
  onStart: [],
  providers: [Sites, Holds, Capacities, disposalsOf(holding)],
  migrations: [Shelter1700000000201],
  publishes: Object.values(shelterEvents) as EventDefinition[],
};

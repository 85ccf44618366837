import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { nameEscort, openPlan, planArrival, planToOpen, tellsPlace } from './arrival-plan.ts';
import { type HoldEvent, holdDecider } from './hold.ts';

const ids = Array.from({ length: 8 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
const [holdId, referralId, organisationId, fromOrg, serviceId, siteId, bedId, planId] = ids as [string, string, string, string, string, string, string, string];
const now = new Date('2022-11-14T09:00:00.000Z');
const plan = { planId, meetAt: '2022-11-14T10:00:00.000Z', askForRole: 'shelter-staff' } as const;
const own = { holdId, referralId, organisationId };

const placed: HoldEvent[] = [{
  type: 'shelter.hold-placed.v1',
  data: { ...own, fromOrg, serviceId, siteId, bedIds: [bedId], placementClass: 'woman', dependantsCount: 0, responsibleRole: 'focal-point', expiresAt: '2022-11-12T12:30:00.000Z' },
}];
const confirmed: HoldEvent[] = [...placed, { type: 'shelter.hold-confirmed.v1', data: own }];
const planned: HoldEvent[] = [...confirmed, { type: 'shelter.plan-noted.v1', data: plan }];
const arrived: HoldEvent[] = [...planned, { type: 'shelter.stay-started.v1', data: { ...own, startedOn: '2022-11-14' } }];
const withdrawn: HoldEvent[] = [...planned, { type: 'shelter.release-deferred.v1', data: { releaseAt: '2022-11-15T10:00:00.000Z', reasonCode: 'withdrawn' } }];

describe('an arrival plan', () => {
  it('is refused before the yes, after the arrival and when her consent has ended', () => {
    for (const past of [[], placed, arrived]) given(holdDecider, past).when((state) => planArrival(state, plan, false)).refuses('illegal-transition');
    given(holdDecider, withdrawn).when((state) => planArrival(state, plan, false)).refuses('consent-withdrawn');
  });

  it('is refused when it would give the house away', () => {
    given(holdDecider, confirmed).when((state) => planArrival(state, plan, true)).refuses('address-in-plan');
  });

  it('tells the network when she is expected, and neither where nor by whom', () => {
    const [, told] = given(holdDecider, confirmed).when((state) => planArrival(state, plan, false)).yields('shelter.plan-noted.v1', 'shelter.arrival-planned.v1');
    expect(told!.data).toEqual({ ...own, plannedAt: plan.meetAt });
  });

  it('has no escort before there is a plan', () => {
    given(holdDecider, confirmed).when((state) => nameEscort(state, 'worker-1')).refuses('arrival-plan-missing');
    given(holdDecider, planned).when((state) => nameEscort(state, 'worker-1')).yields('shelter.escort-named.v1');
  });

  it('changes nothing when the same escort is named again', () => {
    given(holdDecider, [...planned, { type: 'shelter.escort-named.v1', data: { escortSubject: 'worker-1' } }]).when((state) => nameEscort(state, 'worker-1')).yields();
  });

  it('is closed from her arrival on, and as soon as her consent has ended', () => {
    given(holdDecider, arrived).when((state) => openPlan(state, now)).refuses('gone');
    given(holdDecider, withdrawn).when((state) => openPlan(state, now)).refuses('consent-withdrawn');
    given(holdDecider, confirmed).when((state) => openPlan(state, now)).refuses('arrival-plan-missing');
  });

  it('opens again and again until then, each time on record', () => {
    const opened = given(holdDecider, planned).when((state) => openPlan(state, now)).yields('shelter.plan-opened.v1');
    given(holdDecider, [...planned, ...opened]).when((state) => openPlan(state, now)).yields('shelter.plan-opened.v1');
    expect(planToOpen(given(holdDecider, planned).state)).toEqual(plan);
  });
});

describe('a meeting point', () => {
  const address = '14 rue des Éclairs-Inventés, quartier Sans-Nom, Agadir';

  it.each([
    ['the whole address', '14 rue des Éclairs-Inventés, quartier Sans-Nom, Agadir'],
    ['the street line in other letters', 'RUE DES ECLAIRS INVENTES 14'],
    ['the street without its number', 'au coin de la Rue des eclairs inventes, à midi'],
    ['the street with the number elsewhere', 'n° 14, rue des éclairs-inventés'],
  ])('gives the house away by %s', (_how, text) => {
    expect(tellsPlace(text, address)).toBe(true);
  });

  it.each(['Pharmacie du rond-point', 'Gare routière, Agadir', 'Café des Éclairs, quai 14'])('may be %s', (text) => {
    expect(tellsPlace(text, address)).toBe(false);
  });

  it('is compared in any script', () => {
    expect(tellsPlace('أمام زنقة الحديقة المتخيلة', '٧ زنقة الحديقة المتخيلة، أكادير')).toBe(true);
    expect(tellsPlace('محطة الحافلات', '٧ زنقة الحديقة المتخيلة، أكادير')).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import { type DirectoryEvent, type Listed, list, match, type Needs } from './directory.ts';

const now = new Date('2023-01-10T00:00:00Z');
const needs: Needs = { kind: 'shelter', sex: 'female', ageBand: '18-24', languages: ['fr'], dependantsCount: 0, region: 'MA-09' };
const listed = (changes: Partial<Listed> = {}): Listed => ({
  serviceId: 's1', organisationId: 'o1', name: 'House', kind: 'shelter', status: 'active', organisationStatus: 'active', protocolVersion: '1', minimumAge: 18, maximumAge: null, sexes: ['female'], families: false,
  languages: ['fr'], regions: ['MA-09'], capacityStatus: 'capacity', capacityBand: '1-2', capacityAsOf: new Date('2023-01-09T00:00:00Z'), assuredOn: '2022-12-01', ...changes,
});
const one = (changes: Partial<Listed>, asked: Partial<Needs> = {}) => match([listed(changes)], { ...needs, ...asked }, now)[0]!;

describe('a match', () => {
  it.each([
    ['a closed service', { status: 'temporarily closed' }, {}, 'service-not-active'],
    ['a suspended organisation', { organisationStatus: 'suspended' }, {}, 'organisation-suspended'],
    ['an organisation without a protocol', { protocolVersion: null }, {}, 'no-protocol'],
    ['a house that does not take her sex', {}, { sex: 'male' as const }, 'not-eligible-sex'],
    ['a service for another age', { minimumAge: 30 }, {}, 'not-eligible-age'],
    ['a house that takes no children, for a mother', {}, { dependantsCount: 2 }, 'no-families'],
    ['a service of another region', {}, { region: 'MA-06' }, 'out-of-area'],
  ])('says why %s cannot take her', (_what, changes, asked, reason) => {
    expect(one(changes, asked)).toMatchObject({ fits: false, reasons: [reason] });
  });

  it('warns of old words and full houses, and offers them all the same', () => {
    expect(one({ capacityStatus: 'no-capacity', capacityAsOf: new Date('2022-12-30T00:00:00Z'), assuredOn: '2022-09-01', languages: ['ar'] })).toMatchObject({
      fits: true, warnings: ['no-capacity', 'capacity-unknown-for-7-days', 'profile-older-than-90-days', 'interpreter-needed'],
    });
    expect(one({})).toMatchObject({ fits: true, reasons: ['eligible', 'speaks-fr'], warnings: [] });
  });

  it('shows those that fit first, and free places before full ones, in an order that does not depend on the input', () => {
    const services = [listed({ serviceId: 'full', capacityStatus: 'no-capacity', name: 'A' }), listed({ serviceId: 'closed', status: 'defunct', name: 'B' }), listed({ serviceId: 'free', name: 'C' }), listed({ serviceId: 'other', kind: 'health' })];
    expect(match(services, needs, now).map((found) => found.serviceId)).toEqual(['free', 'full', 'closed']);
    expect(match(services.toReversed(), needs, now).map((found) => found.serviceId)).toEqual(['free', 'full', 'closed']);
  });
});

describe('a directory entry', () => {
  it('that did not change is not listed again', () => {
    const event: DirectoryEvent = { type: 'referral.organisation-listed.v1', data: { organisationId: 'o1', name: 'House', status: 'active', ceiling: [] } };
    expect(list({ kind: 'none' }, event)).toEqual([event]);
    expect(list({ kind: 'entry', listed: JSON.stringify(event.data) }, event)).toEqual([]);
  });
});

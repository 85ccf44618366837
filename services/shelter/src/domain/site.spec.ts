import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { chooseBeds, type FreeBed, openSite, siteDecider, type OpenedSite } from './site.ts';

const bed = (siteId: string, roomCode: string, bedId: string): FreeBed => ({ siteId, roomCode, bedId });
const id = '00000000-0000-4000-8000-000000000001';
const site: OpenedSite = { siteId: id, organisationId: id, serviceId: id, code: 'H1', addressVersion: 1, rooms: [{ code: 'R1', placementClasses: ['woman'], beds: [{ bedId: id, code: 'B1' }] }] };

describe('a site', () => {
  it('is not opened for a service that the directory lists for somebody else, or not at all', () => {
    given(siteDecider).when((state) => openSite(state, site, false)).refuses('service-unknown');
  });

  it('is opened once, by an event that names its address but does not hold it', () => {
    const opened = given(siteDecider).when((state) => openSite(state, site, true)).yields('shelter.site-opened.v1');
    expect(Object.keys(opened[0]!.data)).not.toContain('address');
    given(siteDecider, opened).when((state) => openSite(state, site, true)).refuses('illegal-transition');
  });
});

describe('beds for a household', () => {
  it('are all of them or none: never a part, never in two houses', () => {
    expect(chooseBeds([], 1)).toBeUndefined();
    expect(chooseBeds([bed('s1', 'r1', 'a'), bed('s1', 'r2', 'b')], 3)).toBeUndefined();
    expect(chooseBeds([bed('s1', 'r1', 'a'), bed('s2', 'r1', 'b')], 2)).toBeUndefined();
  });

  it('are in one room where one has enough, and in the smallest gap that does', () => {
    const free = [bed('s1', 'r1', 'a'), bed('s1', 'r1', 'b'), bed('s1', 'r1', 'c'), bed('s1', 'r2', 'd'), bed('s1', 'r2', 'e')];
    expect(chooseBeds(free, 2)?.map(({ bedId }) => bedId)).toEqual(['d', 'e']);
    expect(chooseBeds(free, 3)?.map(({ bedId }) => bedId)).toEqual(['a', 'b', 'c']);
  });

  it('are in neighbouring rooms of one house where no room has enough', () => {
    const free = [bed('s1', 'r1', 'a'), bed('s2', 'r1', 'b'), bed('s2', 'r2', 'c')];
    expect(chooseBeds(free, 2)?.map(({ bedId }) => bedId)).toEqual(['b', 'c']);
  });
});

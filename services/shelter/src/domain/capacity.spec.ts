import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { bandOf, type CapacityEvent, capacityDecider, tellCapacity } from './capacity.ts';

const serviceId = '00000000-0000-4000-8000-000000000001';
const now = new Date('2022-11-14T10:00:00.000Z');
const told = (band: '0' | '3-5'): CapacityEvent[] => [{ type: 'shelter.capacity-changed.v1', data: { serviceId, statusCode: band === '0' ? 'no-capacity' : 'capacity', band, asOf: now.toISOString() } }];

describe('what the network hears of free beds', () => {
  it('is nothing while the band stays: one person coming or going is not told', () => {
    for (const freeBeds of [3, 4, 5]) given(capacityDecider, told('3-5')).when((state) => tellCapacity(state, { serviceId, freeBeds }, now)).yields();
  });

  it('is a band, never a number', () => {
    expect([-1, 0, 1, 2, 3, 5, 6, 50].map(bandOf)).toEqual(['0', '0', '1-2', '1-2', '3-5', '3-5', '6+', '6+']);
  });

  it('is told the first time and with each other band', () => {
    given(capacityDecider).when((state) => tellCapacity(state, { serviceId, freeBeds: 4 }, now)).yields('shelter.capacity-changed.v1');
    const [full] = given(capacityDecider, told('3-5')).when((state) => tellCapacity(state, { serviceId, freeBeds: 0 }, now)).yields('shelter.capacity-changed.v1');
    expect(full!.data).toEqual({ serviceId, statusCode: 'no-capacity', band: '0', asOf: now.toISOString() });
    const [free] = given(capacityDecider, told('0')).when((state) => tellCapacity(state, { serviceId, freeBeds: 1 }, now)).yields('shelter.capacity-changed.v1');
    expect(free!.data).toMatchObject({ statusCode: 'capacity', band: '1-2' });
  });
});

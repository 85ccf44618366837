import type { ServiceDefinition } from '@amana/service';
import { Indicators1700000000701 } from './migrations/0001-indicators.ts';
import { OnCounted } from './reactions/on-counted.ts';
import { NetworkFigures } from './reads/network-figures.ts';
import { PublicFigures } from './reads/public-figures.ts';

/** Counts without knowing whom: no case, no person, and no figure small enough to point at one. */
export const IndicatorsService: ServiceDefinition = {
  name: 'indicators',
  purpose: 'Answers the network\'s figures from counting facts, suppressed before they leave: no case, no person.',
  controllers: [PublicFigures, NetworkFigures],
  reactions: [OnCounted],
  projections: [],
  due: [],
  onStart: [],
  providers: [],
  migrations: [Indicators1700000000701],
  publishes: [],
};

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Service } from '../network.ts';
import type { Plant } from './plant.ts';

const careless: readonly Service[] = ['referral', 'shelter'];
/** Built beside this file, whether this is the source or what was built of it. */
const loader = pathToFileURL(resolve(import.meta.dirname, '../../../dist/faults/plants/early-publisher.js')).href;

/** Services that send their events while the transaction is still open: what is rolled back has been told already. */
export const publishBeforeCommit: Plant = {
  name: 'publish-before-commit',
  bug: 'an event is on the bus before it is committed, and stays there if it never is',
  caughtBy: ['phantom'],
  async install(network) {
    for (const service of careless) network.extraEnv.set(service, { NODE_OPTIONS: `--import=${loader}` });
    const slots = careless.flatMap((service) => network.slotsOf(service));
    await Promise.all(slots.map((slot) => network.kill(slot)));
    await Promise.all(slots.map((slot) => network.revive(slot)));
  },
};

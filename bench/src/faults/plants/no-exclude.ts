import { asAdmin } from '../chaos.ts';
import type { Plant } from './plant.ts';

/** Nothing but the shelter's own look-then-take stands between two takers of one bed. */
export const noExclude: Plant = {
  name: 'no-exclude',
  bug: 'two holds may take one bed for the same time',
  caughtBy: ['beds'],
  async install(network) {
    await asAdmin(network.stack.adminUrl, 'shelter', (client) => client.query('ALTER TABLE bed_hold DROP CONSTRAINT bed_hold_no_overlap'));
  },
};

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asAdmin, type Chaos } from '../chaos.ts';
import type { CheckName } from '../checker/checker.ts';
import type { FaultNetwork, Service } from '../network.ts';

/** A bug put into one network on purpose, from outside: no service knows of it, and no service has a switch for it. */
export interface Plant {
  readonly name: string;
  /** What is wrong with it in. */
  readonly bug: string;
  /** At least one of these must find it. */
  readonly caughtBy: readonly CheckName[];
  /** It is about the broker. */
  readonly needsBroker?: boolean;
  /** Puts it in, before the load. */
  install(network: FaultNetwork): Promise<void>;
  /** Brings about what the bug cannot bear, once the load is over; a sound network is tried in the same way by its faults. */
  provoke?(tools: { readonly chaos: Chaos; readonly rush: () => Promise<void> }): Promise<void>;
}

/** Before each new inbox row the old one goes, so that a message that comes again looks like a new one. */
const forgetful = `
  CREATE FUNCTION planted_inbox_check() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM inbox WHERE event_id = NEW.event_id AND consumer = NEW.consumer;
      DELETE FROM inbox_parked WHERE event_id = NEW.event_id AND consumer = NEW.consumer;
      RETURN NEW;
    END $$;
  CREATE TRIGGER planted_inbox_check BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION planted_inbox_check();`;

const inboxCheck: Plant = {
  name: 'inbox-check',
  bug: 'no duplicate is recognised, an event that comes again has its effect again',
  caughtBy: ['twice'],
  async install(network) {
    for (const service of new Set(network.slots.map((slot) => slot.service))) await asAdmin(network.stack.adminUrl, service, (client) => client.query(forgetful));
  },
  async provoke({ chaos }) {
    await chaos.redeliver('referral');
    await chaos.redeliver('shelter');
  },
};

/** Nothing but the shelter's own look-then-take stands between two takers of one bed. */
const noExclude: Plant = {
  name: 'no-exclude',
  bug: 'two holds may take one bed for the same time',
  caughtBy: ['beds'],
  async install(network) {
    await asAdmin(network.stack.adminUrl, 'shelter', (client) => client.query('ALTER TABLE bed_hold DROP CONSTRAINT bed_hold_no_overlap'));
  },
  async provoke({ rush }) {
    await rush();
  },
};

const careless: readonly Service[] = ['referral', 'shelter'];
/** Built beside this file, whether this is the source or what was built of it. */
const earlyPublisher = pathToFileURL(resolve(import.meta.dirname, '../../../dist/faults/plants/early-publisher.js')).href;

const publishBeforeCommit: Plant = {
  name: 'publish-before-commit',
  bug: 'events are sent while the transaction is open, and what is rolled back has been told already',
  caughtBy: ['phantom'],
  needsBroker: true,
  async install(network) {
    for (const service of careless) network.extraEnv.set(service, { NODE_OPTIONS: `--import=${earlyPublisher}` });
    const slots = careless.flatMap((service) => network.slotsOf(service));
    await Promise.all(slots.map((slot) => network.kill(slot)));
    await Promise.all(slots.map((slot) => network.revive(slot)));
  },
};

/** The bugs that the checker must find, or the campaign would prove nothing. */
export const plants: readonly Plant[] = [noExclude, publishBeforeCommit, inboxCheck];

import { asAdmin } from '../chaos.ts';
import type { Plant } from './plant.ts';

/** Before each new inbox row the old one goes, so that a message that comes again looks like a new one. */
const forgetful = `
  CREATE FUNCTION planted_inbox_check() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM inbox WHERE event_id = NEW.event_id AND consumer = NEW.consumer; RETURN NEW; END $$;
  CREATE TRIGGER planted_inbox_check BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION planted_inbox_check();`;

/** No duplicate is recognised any more. */
export const inboxCheck: Plant = {
  name: 'inbox-check',
  bug: 'an event that comes again has its effect again',
  caughtBy: ['twice'],
  async install(network) {
    for (const service of new Set(network.slots.map((slot) => slot.service))) await asAdmin(network.stack.adminUrl, service, (client) => client.query(forgetful));
  },
  async provoke(chaos) {
    await chaos.redeliver('referral');
    await chaos.redeliver('shelter');
  },
};

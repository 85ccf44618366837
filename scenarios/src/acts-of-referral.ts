import { eventually } from '@amana/testing';
import type { ActTable, Playing } from './play.ts';
import type { World } from './story.ts';

interface ReferralView { referralId: string; status: string; fromOrg: string; toOrg: string; redirectedTo?: string; links: { profile: string; disclosure: string } }

const referralPath = (world: World, name: unknown): string => `/v1/referral/referrals/${world.need(`referral:${String(name)}`)}`;

/** A command on a referral whose body is the step's own fields. */
const command = (verb: string, fields: readonly string[], tell: string) => async ({ world, actor, step }: Playing) => {
  const path = referralPath(world, step.input.referral);
  const body = Object.fromEntries(fields.filter((field) => step.input[field] !== undefined).map((field) => [field, step.input[field]]));
  const answer = await actor.change<{ status: string }>('POST', `${path}/${verb}`, body, { on: path });
  return [`${tell}; the sender now sees: ${answer.body.status}`];
};

/** A referral from the search for a service to the closed loop. */
export const referralActs: ActTable = {
  'find-services': async ({ world, actor, step }) => {
    const { kind, facts, expect } = step.input as { kind: string; facts: { sex: string; languages: string[]; dependants: number; region: string }; expect: { offered: string[]; warned: string[] } };
    const { body } = await actor.change<{ items: { serviceId: string; name: string; fits: boolean; reasons: string[]; warnings: string[] }[] }>('POST', '/v1/referral/matches', {
      kind, sex: facts.sex, ageBand: world.ageBand(), languages: facts.languages, dependantsCount: facts.dependants, region: facts.region,
    });
    const fitting = body.items.filter((item) => item.fits);
    for (const name of expect.offered) if (!fitting.some((item) => item.serviceId === world.service(name))) throw new Error(`${name} was not offered`);
    for (const name of expect.warned) if (!fitting.find((item) => item.serviceId === world.service(name))?.warnings.length) throw new Error(`${name} came without a warning`);
    world.matched.splice(0, world.matched.length, ...fitting.map((item) => item.serviceId));
    return body.items.map((item) => `${item.fits ? 'fits' : 'does not fit'}: ${item.name} (${[...item.reasons, ...item.warnings].join(', ')})`);
  },

  'draft-referral': async ({ world, actor, step }) => {
    const { referral, consent, urgency, placementClass, dependantsCount, deliveryMode } = step.input;
    const consents = world.consents.get(String(consent))!;
    const { body } = await actor.change<{ referralId: string }>('POST', '/v1/referral/referrals', {
      recipients: consents.map((given) => ({ serviceId: given.serviceId, receipt: given.receipt })), urgency, ...(placementClass ? { placementClass } : {}), dependantsCount, deliveryMode, matchedServiceIds: world.matched.slice(0, 50),
    });
    world.known.set(`referral:${String(referral)}`, body.referralId);
    return [`${consents.length} recipient(s) in her order; nothing has left the organisation`];
  },

  'submit-referral': command('submission', [], 'the clocks run'),
  'acknowledge-referral': command('acknowledgement', [], 'read by a person, not yet a yes'),
  'accept-referral': command('acceptance', ['responsibleRole'], 'a yes, with a role to ask for'),
  'start-service': command('start', [], 'the service has begun'),
  'complete-referral': command('completion', ['outcomeCode'], 'the service has been given'),
  'confirm-arrival': command('arrival', [], 'she has arrived'),
  'close-loop': async (playing) => {
    await until(playing, 'completed');
    return await command('closure', ['followUp'], 'she was asked')(playing);
  },

  'decline-referral': async ({ world, actor, step }) => {
    const path = referralPath(world, step.input.referral);
    const alternatives = (step.input.alternatives as string[] | undefined ?? []).map((name) => world.service(name));
    await actor.change('POST', `${path}/decline`, { reasonCode: step.input.reasonCode, alternatives }, { on: path });
    const sender = await world.actor('soussWorker');
    const next = await eventually(async () => (await sender.get<ReferralView>(path)).body.redirectedTo, { withinMs: 30_000, what: 'the next consented recipient being asked' });
    world.known.set(`referral:${String(step.input.referral)}`, next);
    return [`the sender sees: declined, ${String(step.input.reasonCode)}; the next house she named has already been asked`];
  },

  'read-profile': async ({ world, actor, step }) => {
    const view = await actor.get<ReferralView>(referralPath(world, step.input.referral));
    const { body } = await actor.get(view.body.links.profile);
    const allowed = new Set(['sex', 'ageBand', 'languages', 'interpreterLanguage', 'dependantsCount', 'accessibility', 'urgency', 'serviceId']);
    const extra = Object.keys(body).filter((field) => !allowed.has(field));
    if (extra.length > 0) throw new Error(`The profile shows more than its fields: ${extra.join(', ')}`);
    return [`shown: ${Object.keys(body).join(', ')}`];
  },

  'read-disclosure': async (playing) => {
    const { world, actor, step } = playing;
    const view = await until(playing, 'accepted');
    const { body } = await actor.get<{ data: Record<string, unknown> }>(view.links.disclosure);
    const [shown, expected] = [Object.keys(body.data).toSorted(), (step.input.expectCategories as string[]).toSorted()];
    if (shown.join() !== expected.join()) throw new Error(`Shown: ${shown.join(', ')}; consented: ${expected.join(', ')}`);
    const stranger = await world.actor('coordinator');
    const denied = await stranger.look(view.links.disclosure);
    if (denied.status !== 404 && denied.status !== 403) throw new Error('Somebody else could read it');
    return [`exactly what she consented to: ${shown.join(', ')}; to everyone else there is nothing`];
  },
};

/** Waits until the actor sees the referral in this state, or one beyond it. */
export async function until({ world, actor, step }: Playing, status: string): Promise<ReferralView> {
  const order = ['submitted', 'acknowledged', 'accepted', 'scheduled', 'in-progress', 'completed', 'closed'];
  return await eventually(async () => {
    const { body } = await actor.get<ReferralView>(referralPath(world, step.input.referral));
    return order.indexOf(body.status) >= order.indexOf(status) ? body : undefined;
  }, { withinMs: 30_000, what: `the referral as ${status}` });
}

import { join } from 'node:path';
import { networkDir, readAccounts } from '@amana/local';
import { eventually } from '@amana/testing';
import { until } from './acts-of-referral.ts';
import type { ActTable, Playing } from './play.ts';
import type { World } from './story.ts';

const referralId = (world: World, name: unknown): string => world.need(`referral:${String(name)}`);

/** The beds of a house, a clinic's appointments, and what outsiders may know of it. */
export const careActs: ActTable = {
  'hold-bed': async ({ world, actor, step, at }) => {
    const { placementClass, responsibleRole, fromDay } = step.input;
    const { body } = await actor.change<{ holdId: string; status: string }>('POST', `/v1/shelter/${actor.organisationId}/holds`, {
      referralId: referralId(world, step.input.referral), placementClass, responsibleRole, arriveBy: new Date(world.at(Number(fromDay), '23:00').getTime()).toISOString(), firstContactAt: at.toISOString(),
    });
    world.known.set('hold', body.holdId);
    const path = `/v1/shelter/${actor.organisationId}/holds/${body.holdId}`;
    await eventually(async () => (await actor.get<{ state: string }>(path)).body.state === 'confirmed', { withinMs: 30_000, what: 'the confirmed hold' });
    return ['a bed is held; the referral is accepted by it, and the hold confirmed'];
  },

  'plan-arrival': async ({ world, actor, step }) => {
    const { meetingPoint, onDay, time, askFor } = step.input;
    const path = `/v1/shelter/${actor.organisationId}/arrival-plans/${referralId(world, step.input.referral)}`;
    await actor.change('PUT', path, { meetingPoint, meetAt: world.at(Number(onDay), String(time)).toISOString(), askForRole: askFor }, { on: `/v1/shelter/${actor.organisationId}/holds/${world.need('hold')}` });
    return ['a neutral meeting point; the address stays inside'];
  },

  'name-escort': async ({ world, actor, step }) => {
    const { username } = world.story.actors[String(step.input.escort)]!;
    const escort = (await readAccounts(join(networkDir, 'accounts.json'))).find((account) => account.username === username)!;
    await actor.change('PUT', `/v1/shelter/${world.organisation('shelterA')}/arrival-plans/${referralId(world, step.input.referral)}/escort`, { escortSubject: escort.accountId });
    return ['one named account can open the plan'];
  },

  'open-arrival-plan': async ({ world, step }) => {
    const escort = await world.actor(step.actor, { stepUp: Boolean(step.input.stepUp) });
    const { body } = await escort.change<{ meetingPoint: string; askForRole: string }>('POST', `/v1/shelter/${world.organisation('shelterA')}/arrival-plans/${referralId(world, step.input.referral)}/openings`, {});
    const address = world.story.sites[0]!.address;
    if (JSON.stringify(body).includes(address)) throw new Error('The plan tells the address');
    return [`where to meet and whom to ask for (${body.askForRole}); no address`];
  },

  'start-stay': async ({ world, actor, at }) => {
    const path = `/v1/shelter/${actor.organisationId}/holds/${world.need('hold')}`;
    await actor.change('POST', `${path}/stay`, { arrivedAt: at.toISOString() }, { on: path });
    return ['she sleeps in safety tonight; outside only the day is known'];
  },

  'end-stay': async ({ world, actor, step, at }) => {
    const path = `/v1/shelter/${actor.organisationId}/holds/${world.need('hold')}`;
    await actor.change('POST', `${path}/stay-end`, { outcomeCode: step.input.outcomeCode, endedAt: at.toISOString() }, { on: path });
    return ['the bed is free for the next one'];
  },

  'book-appointment': async (playing) => {
    const { world, actor, step } = playing;
    const path = medical(playing);
    const { body } = await actor.change<{ appointmentId?: string }>('POST', `${path}/appointments`, {
      startsAt: world.at(Number(step.input.onDay), String(step.input.time)).toISOString(), interpreterLanguage: step.input.interpreter, clinicianSex: step.input.clinicianSex, accompaniment: true,
    }, { on: path });
    const appointmentId = body.appointmentId ?? (await actor.get<{ appointments: { appointmentId: string }[] }>(path)).body.appointments.at(-1)!.appointmentId;
    world.known.set('appointment', appointmentId);
    return ['booked; the sender will see: scheduled'];
  },

  'record-attendance': async (playing) => {
    const { world, actor, step } = playing;
    await until(playing, 'scheduled').catch(() => undefined);
    const path = medical(playing);
    await actor.change('POST', `${path}/appointments/${world.need('appointment')}/attendance`, { attended: step.input.attended }, { on: path });
    return ['she came; the sender will see: in progress'];
  },

  'record-consultation': async (playing) => {
    const { actor, step } = playing;
    const path = medical(playing);
    await actor.change('POST', `${path}/outcome`, { outcomeCode: 'treated', outcome: step.input.outcome, nextStep: String(step.input.nextStep).replace('-', '_') }, { on: path });
    return ['attended and done is all that leaves the clinic'];
  },

  'read-history': async ({ world, actor }) => {
    const { tags, referrals } = JSON.parse(world.need('handed-over')) as { tags: string[]; referrals: string[] };
    const lines: string[] = [];
    let acts = 0;
    for (const path of [...referrals.map((id) => `/v1/audit/referrals/${id}`), ...tags.map((tag) => `/v1/audit/tags/${tag}`)]) {
      const entries = await history(actor, path);
      acts += entries.length;
      if (entries.length === 0) throw new Error(`No history at ${path.slice(0, 20)}`);
      lines.push(`${entries.length} entries, from ${entries[0]!.action} to ${entries.at(-1)!.action}`);
      const text = JSON.stringify(entries);
      const leaked = world.story.planted.find((planted) => text.includes(planted));
      if (leaked) throw new Error('The history tells a name');
    }
    return [`${acts} acts and looks, in order, without a name`, ...lines];
  },

  'read-public-figures': async ({ world, step }) => {
    const month = world.at(4, '12:00').toISOString().slice(0, 7);
    const response = await fetch(`${world.network.baseUrl}/v1/indicators/public?month=${month}`);
    const body = (await response.json()) as { figures: Record<string, unknown> };
    for (const [name, expected] of Object.entries(step.input.expect as Record<string, unknown>)) {
      if (body.figures?.[name] !== expected) throw new Error(`The public figure ${name} is ${String(body.figures?.[name])}, not ${String(expected)}`);
    }
    return [Object.entries(body.figures).map(([name, value]) => `${name} ${String(value)}`).join(', ')];
  },

  narrate: async () => ['nothing is shared'],
};

interface Entry { action: string; decision: string }

async function history(actor: Playing['actor'], path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let next: string | undefined = '', page = 0; next !== undefined && page < 100; page += 1) {
    const { body }: { body: { entries: Entry[]; next?: string } } = await actor.get(`${path}?limit=100${next ? `&after=${next}` : ''}`);
    entries.push(...body.entries);
    next = body.next;
  }
  return entries;
}

const medical = ({ world, actor, step }: Playing): string => `/v1/health/${actor.organisationId}/medical-referrals/${referralId(world, step.input.referral)}`;

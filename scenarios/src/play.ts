import { careActs } from './acts-of-care.ts';
import { intakeActs } from './acts-of-intake.ts';
import { referralActs } from './acts-of-referral.ts';
import type { Actor } from './network-client.ts';
import type { Step, World } from './story.ts';

/** What the others saw after an act, a line each: codes and counts, never a name. */
export type Told = readonly string[];

export interface Playing {
  readonly world: World;
  readonly actor: Actor;
  readonly step: Step;
  /** Business time of the step. */
  readonly at: Date;
}

export type ActTable = Readonly<Record<string, (playing: Playing) => Promise<Told>>>;

const acts: ActTable = { ...intakeActs, ...referralActs, ...careActs };

export interface PlayedStep {
  readonly id: string;
  readonly at: string;
  readonly day: number;
  readonly actor: string;
  readonly organisation: string;
  readonly tell: string;
  readonly seen: Told;
  readonly tookMs: number;
}

/** Plays every step in its order and at its time. Throws at the first one that does not go as the story says, naming it. */
export async function play(world: World, onStep: (step: PlayedStep) => void): Promise<PlayedStep[]> {
  await openHouses(world);
  const played: PlayedStep[] = [];
  for (const step of world.story.steps) {
    const act = acts[step.act];
    if (!act) throw new Error(`Step ${step.id}: nobody knows how to ${step.act}`);
    const at = world.at(step.day, step.time);
    await world.network.moveClockTo(at);
    const startedMs = Date.now();
    const seen = await act({ world, actor: await world.actor(step.actor), step, at }).catch((error: unknown) => {
      throw new Error(`Step ${step.id} (${step.actor}): ${error instanceof Error ? error.message : 'failed'}`, { cause: error });
    });
    const { organisation } = world.story.actors[step.actor]!;
    const done = { id: step.id, at: at.toISOString(), day: step.day, actor: step.actor, organisation, tell: step.tell, seen, tookMs: Date.now() - startedMs };
    played.push(done);
    onStep(done);
  }
  return played;
}

/** The houses of the story exist before it begins; one that was opened by an earlier play is kept. */
async function openHouses(world: World): Promise<void> {
  for (const site of world.story.sites) {
    const name = Object.entries(world.story.actors).find(([, actor]) => actor.organisation === site.organisation && actor.username.endsWith('staff'))?.[0];
    const actor = name ? await world.actor(name) : await world.network.signIn(`${site.organisation.replace(/([A-Z])/, (letter) => `-${letter.toLowerCase()}`)}-staff`, world.organisation(site.organisation));
    const path = `/v1/shelter/${actor.organisationId}/sites`;
    const code = `house-${site.organisation.at(-1)!.toLowerCase()}`;
    const { body } = await actor.get<{ items: { code: string }[] }>(path);
    if (body.items.some((known) => known.code === code)) continue;
    await actor.change('POST', path, {
      serviceId: world.service(site.service), code, address: site.address, placementClasses: site.rooms[0]!.placementClasses,
      rooms: site.rooms.map((room) => ({ code: room.code, placementClasses: room.placementClasses, beds: Array.from({ length: room.beds }, (_, bed) => ({ code: `${room.code}-${bed + 1}` })) })),
    });
  }
}

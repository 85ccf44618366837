import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgeBand, Id } from '@amana/contracts';
import { z } from 'zod';
import { type HtcdsCase, readHtcdsCases } from './htcds.ts';
import type { Actor, NetworkClient } from './network-client.ts';

const Step = z.strictObject({ id: z.string(), day: z.int().min(0), time: z.string().regex(/^\d\d:\d\d$/), actor: z.string(), act: z.string(), tell: z.string(), input: z.record(z.string(), z.unknown()) });
export type Step = z.infer<typeof Step>;

const StoryFile = z.strictObject({
  story: z.string(), note: z.string().optional(), startsOn: z.iso.date(), zone: z.string(), caseFile: z.string(), planted: z.array(z.string()),
  actors: z.record(z.string(), z.strictObject({ username: z.string(), clientId: z.string(), organisation: z.string() })),
  organisations: z.record(z.string(), Id), services: z.record(z.string(), Id), details: z.record(z.string(), z.string()),
  sites: z.array(z.strictObject({
    organisation: z.string(), service: z.string(), address: z.string(),
    rooms: z.array(z.strictObject({ code: z.string(), beds: z.int().min(1), placementClasses: z.array(z.string()) })),
  })),
  steps: z.array(Step),
});
export type StoryFile = z.infer<typeof StoryFile>;

/** A story's input: people, places and steps as data, and her line of the case file. Throws with the place of what is wrong. */
export async function readStory(path: string): Promise<{ story: StoryFile; person: HtcdsCase }> {
  const story = StoryFile.parse(JSON.parse(await readFile(path, 'utf8')));
  const [person] = await readHtcdsCases(join(dirname(path), story.caseFile));
  if (!person) throw new Error(`${story.caseFile} has no case line`);
  return { story, person };
}

/** The story as it is being played: who is signed in, what has come of earlier steps, what time it is. */
export class World {
  readonly story: StoryFile;
  readonly person: HtcdsCase;
  readonly network: NetworkClient;
  /** Business time at which day 0 begins: a Monday, since offices have weekends. */
  readonly dayZero: Date;
  /** Ids by the names that later steps use. */
  readonly known = new Map<string, string>();
  readonly consents = new Map<string, { organisationId: string; serviceId?: string; receipt: string; consentRef: string }[]>();
  readonly matched: string[] = [];
  readonly #actors = new Map<string, Promise<Actor>>();

  constructor(options: { story: StoryFile; person: HtcdsCase; network: NetworkClient; now: Date }) {
    this.story = options.story;
    this.person = options.person;
    this.network = options.network;
    const midnight = new Date(options.now);
    midnight.setUTCHours(0, 0, 0, 0);
    this.dayZero = new Date(midnight.getTime() + ((8 - midnight.getUTCDay()) % 7 || 7) * 86_400_000);
  }

  actor(name: string, options: { stepUp?: boolean } = {}): Promise<Actor> {
    const key = `${name}${options.stepUp ? '+' : ''}`;
    const { username, organisation } = this.story.actors[name] ?? raise(`no actor ${name}`);
    let actor = this.#actors.get(key);
    if (!actor) this.#actors.set(key, actor = this.network.signIn(username, this.organisation(organisation), options));
    return actor;
  }

  organisation(name: string): string {
    return this.story.organisations[name] ?? raise(`no organisation ${name}`);
  }

  service(name: string): string {
    return this.story.services[name] ?? raise(`no service ${name}`);
  }

  /** What an earlier step brought forth. */
  need(name: string): string {
    return this.known.get(name) ?? raise(`no earlier step made ${name}`);
  }

  /** The business time of a step, by the clock on the wall of the zone (UTC+1). */
  at(day: number, time: string): Date {
    const [hours, minutes] = time.split(':').map(Number) as [number, number];
    return new Date(this.dayZero.getTime() + day * 86_400_000 + (hours - 1) * 3_600_000 + minutes * 60_000);
  }

  /** Her age band today, from the day of birth in her file. */
  ageBand(): AgeBand {
    const years = Math.floor((this.dayZero.getTime() - Date.parse(this.person.prs_Birthdate ?? raise('no day of birth'))) / (365.25 * 86_400_000));
    return AgeBand.options.find((band) => { const [from, to] = band.replace('+', '-150').split('-').map(Number) as [number, number]; return years >= from && years <= to; }) ?? raise('no age band');
  }
}

function raise(what: string): never {
  throw new Error(`The story cannot go on: ${what}`);
}

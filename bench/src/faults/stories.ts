import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Caller, Command } from './caller.ts';
import type { Cast, Provider } from './cast.ts';
import type { Seeded } from './seeded.ts';

interface Referral {
  readonly referralId: string;
  readonly sender: Caller;
  /** By recipient, in order. */
  readonly consentRefs: readonly string[];
}

const looksMax = 14;
const looksWhenOver = 3;
const rushing = 6;
/** Longer from look to look: whoever asks all the time only slows down what it waits for. */
const pauseMs = (looks: number): number => Math.min(120 + 40 * looks, 800);
const hoursMs = 3_600_000;
const referrals = '/v1/referral/referrals';

/** The stories that workers play: each a referral's way, with the races in which a careless network loses or doubles something. */
export class Stories {
  readonly #cast: Cast;
  readonly #seeds: Seeded;
  #rng: Seeded;
  #played = 0;
  #keys = 0;

  constructor(cast: Cast, rng: Seeded) {
    this.#cast = cast;
    this.#seeds = rng;
    this.#rng = rng;
  }

  /** Plays one story that the seed picks. Each has draws of its own: what one drew while it waited does not change the next. */
  async playOne(): Promise<void> {
    this.#played += 1;
    this.#rng = this.#seeds.fork(this.#played);
    const draw = this.#rng.next();
    if (draw < 0.45) await this.#shelter();
    else if (draw < 0.7) await this.#clinic();
    else if (draw < 0.87) await this.#provider();
    else await this.#unanswered();
  }

  /** Many ask for the same few beds, and the shelter answers all of them at the same moment. */
  async rush(): Promise<void> {
    const [shelter, second] = this.#cast.shelters;
    const submitted = await Promise.all(Array.from({ length: rushing }, () => this.#submitted([shelter, second], { urgency: 'asap', placementClass: 'woman' })));
    const asking = submitted.filter((referral) => referral !== undefined);
    for (let looks = 0; this.#mayLook(looks); looks += 1) {
      const listed = await shelter.caller.get(`/v1/shelter/${shelter.caller.organisationId}/referrals?limit=100`);
      if (asking.every(({ referralId }) => JSON.stringify(listed.body).includes(referralId))) break;
      await delay(pauseMs(looks));
    }
    const held = await Promise.all(asking.map(({ referralId }) => this.#hold(shelter, referralId)));
    for (const [at, referral] of asking.entries()) await this.#stay(shelter, referral, held[at]);
  }

  /** Two shelters with few beds: holds race for beds, and a cancellation or a withdrawal races the hold. */
  async #shelter(): Promise<void> {
    const [first, second] = this.#rng.chance(0.7) ? this.#cast.shelters : [this.#cast.shelters[1], this.#cast.shelters[0]];
    const referral = await this.#submitted([first, second], { urgency: this.#rng.pick(['stat', 'asap', 'urgent']), placementClass: 'woman' });
    if (!referral) return;
    const race = this.#rng.next();
    const [held] = await Promise.all([
      this.#hold(first, referral.referralId),
      race < 0.2 ? this.#cancel(referral, 2) : race < 0.45 ? this.#withdraw(referral) : undefined,
    ]);
    if (held?.outcome !== 'acknowledged') {
      const no = await this.#decline(first, referral, 2);
      const next = no.outcome === 'acknowledged' ? await this.#redirected(referral) : undefined;
      if (next) await this.#stay(second, next, await this.#hold(second, next.referralId));
      return;
    }
    await this.#stay(first, referral, held);
  }

  /** The clinic answers, sometimes twice at the same moment; then an appointment and its outcome. */
  async #clinic(): Promise<void> {
    const [clinic, other] = [this.#cast.clinic, this.#rng.pick(this.#cast.others)];
    const referral = await this.#submitted([clinic, other], { urgency: 'urgent' });
    if (!referral) return;
    if (this.#rng.chance(0.15)) await this.#withdraw(referral);
    await this.#send(clinic, `${referrals}/:referralId/acknowledgement`, { referral, version: 2, body: {} });
    const answers = this.#rng.pick([['yes'], ['yes'], ['no'], ['yes', 'no'], []]);
    const [yes, no] = await Promise.all([
      answers.includes('yes') ? this.#accept(clinic, referral, 3) : undefined,
      answers.includes('no') ? this.#decline(clinic, referral, 3) : undefined,
    ]);
    if (no?.outcome === 'acknowledged') {
      const next = await this.#redirected(referral);
      if (next) await this.#provide(other, next, 2);
    }
    if (yes?.outcome !== 'acknowledged') return;
    const booked = await this.#insist(() => this.#command(clinic, {
      service: 'health', route: 'POST /v1/health/:organisationId/medical-referrals/:referralId/appointments', params: { referralId: referral.referralId },
      body: { startsAt: new Date(Date.now() + hoursMs).toISOString() },
    }), ['not-found', 'acceptance-not-yet-seen']);
    if (booked?.outcome !== 'acknowledged') return;
    const attended = await this.#command(clinic, {
      service: 'health', route: 'POST /v1/health/:organisationId/medical-referrals/:referralId/appointments/:appointmentId/attendance', version: booked.version!,
      params: { referralId: referral.referralId, appointmentId: String(booked.body.appointmentId) }, body: { attended: true },
    });
    if (attended.outcome !== 'acknowledged') return;
    await this.#command(clinic, {
      service: 'health', route: 'POST /v1/health/:organisationId/medical-referrals/:referralId/outcome', version: attended.version!,
      params: { referralId: referral.referralId }, body: { outcomeCode: 'treated', outcome: 'delivered' },
    });
  }

  /** A provider says yes and carries it out, or says no and the next one does. */
  async #provider(): Promise<void> {
    const [first, second] = [this.#cast.others[0]!, this.#cast.others[1]!];
    const referral = await this.#submitted([first, second], { urgency: 'routine' });
    if (!referral) return;
    if (this.#rng.chance(0.4)) {
      const no = await this.#decline(first, referral, 2);
      const next = no.outcome === 'acknowledged' ? await this.#redirected(referral) : undefined;
      if (next) await this.#provide(second, next, 2);
    } else {
      await this.#provide(first, referral, 2);
    }
  }

  /** Phoned through hours ago and unanswered: it expires at once, and the next consented one is asked. */
  async #unanswered(): Promise<void> {
    const [first, second] = [this.#cast.others[1]!, this.#cast.others[0]!];
    const occurredAt = new Date(Date.now() - 3 * hoursMs).toISOString();
    const referral = await this.#submitted([first, second], { urgency: 'stat', deliveryMode: 'phone', occurredAt });
    const next = referral && await this.#redirected(referral);
    if (next) await this.#provide(second, next, 2);
  }

  /** Drafts and submits; undefined when either was not acknowledged. */
  async #submitted(providers: readonly Provider[], facts: object): Promise<Referral | undefined> {
    const { consents, senders } = this.#cast;
    const sender = this.#rng.pick(senders);
    const consentRefs = providers.map(() => this.#rng.uuid());
    const recipients = providers.map(({ serviceId, caller }, at) => ({
      serviceId, receipt: consents.receiptOf({ consentRef: consentRefs[at]!, fromOrg: sender.organisationId, toOrg: caller.organisationId, serviceId }),
    }));
    const drafted = await this.#command({ caller: sender }, { service: 'referral', route: `POST ${referrals}`, body: { recipients, ...facts } });
    if (drafted.outcome !== 'acknowledged') return undefined;
    const referral: Referral = { referralId: String(drafted.body.referralId), sender, consentRefs };
    const submitted = await this.#send({ caller: sender }, `${referrals}/:referralId/submission`, { referral, version: 1, body: {} });
    return submitted.outcome === 'acknowledged' ? referral : undefined;
  }

  /** Asks the shelter for a bed until the referral has arrived there and somebody answers. */
  async #hold({ caller }: Provider, referralId: string): Promise<Answer | undefined> {
    const body = { referralId, placementClass: 'woman', responsibleRole: 'shelter-staff' };
    return await this.#insist(() => this.#command({ caller }, { service: 'shelter', route: 'POST /v1/shelter/:organisationId/holds', body }), ['not-found']);
  }

  /** From a hold to the end of a stay, so that the bed is free for the next one. */
  async #stay({ caller }: Pick<Provider, 'caller'>, referral: Referral, held: Answer | undefined): Promise<void> {
    if (held?.outcome !== 'acknowledged') return;
    if (this.#rng.chance(0.25)) return void await this.#insist(() => this.#cancelAsItStands(referral), ['version-stale']);
    const holdId = String(held.body.holdId);
    const params = { holdId };
    const started = await this.#insist(() => this.#command({ caller }, {
      service: 'shelter', route: 'POST /v1/shelter/:organisationId/holds/:holdId/stay', params, version: held.version! + 1, body: { arrivedAt: new Date().toISOString() },
    }), ['version-stale']);
    if (started?.outcome !== 'acknowledged') return;
    await this.#command({ caller }, {
      service: 'shelter', route: 'POST /v1/shelter/:organisationId/holds/:holdId/stay-end', params, version: started.version!, body: { outcomeCode: 'delivered', endedAt: new Date().toISOString() },
    });
  }

  async #provide(provider: Provider, referral: Referral, version: number): Promise<void> {
    const yes = await this.#accept(provider, referral, version);
    if (yes.outcome !== 'acknowledged') return;
    const started = await this.#send(provider, `${referrals}/:referralId/start`, { referral, version: yes.version!, body: {} });
    if (started.outcome !== 'acknowledged') return;
    const done = await this.#send(provider, `${referrals}/:referralId/completion`, { referral, version: started.version!, body: { outcomeCode: 'delivered' } });
    if (done.outcome === 'acknowledged') await this.#send({ caller: referral.sender }, `${referrals}/:referralId/closure`, { referral, version: done.version!, body: { followUp: 'received' } });
  }

  #accept(provider: Provider, referral: Referral, version: number): Promise<Answer> {
    return this.#send(provider, `${referrals}/:referralId/acceptance`, { referral, version, body: { responsibleRole: 'focal-point' } });
  }

  #decline(provider: Provider, referral: Referral, version: number): Promise<Answer> {
    return this.#send(provider, `${referrals}/:referralId/decline`, { referral, version, body: { reasonCode: 'no_capacity' } });
  }

  #cancel(referral: Referral, version: number): Promise<Answer> {
    return this.#send({ caller: referral.sender }, `${referrals}/:referralId/cancellation`, { referral, version, body: { reasonCode: 'found_elsewhere' } });
  }

  async #cancelAsItStands(referral: Referral): Promise<Answer> {
    const seen = await referral.sender.look(referral.referralId);
    return await this.#cancel(referral, Number(seen?.version ?? 2));
  }

  async #withdraw(referral: Referral): Promise<void> {
    await this.#cast.consents.withdraw(referral.consentRefs[0]!, this.#cast.run, this.#cast.patience);
  }

  /** The referral that followed a no or a silence, once it is there. */
  async #redirected(referral: Referral): Promise<Referral | undefined> {
    for (let looks = 0; this.#mayLook(looks); looks += 1) {
      const seen = await referral.sender.look(referral.referralId);
      if (seen?.redirectedTo) return { referralId: String(seen.redirectedTo), sender: referral.sender, consentRefs: referral.consentRefs.slice(1) };
      if (seen && ['accepted', 'cancelled', 'withdrawn', 'completed', 'scheduled', 'in-progress'].includes(String(seen.status))) return undefined;
      await delay(pauseMs(looks));
    }
    return undefined;
  }

  /** Repeats a whole command, each time under a new key, while it is refused for something that is still on its way. */
  async #insist(ask: () => Promise<Answer>, codes: readonly string[]): Promise<Answer | undefined> {
    for (let asked = 0; this.#mayLook(asked); asked += 1) {
      const answer = await ask();
      if (answer.outcome !== 'refused' || !codes.includes(answer.code ?? '')) return answer;
      await delay(pauseMs(asked));
    }
    return undefined;
  }

  #mayLook(looks: number): boolean {
    return looks < (this.#cast.over.aborted ? looksWhenOver : looksMax) && Date.now() < this.#cast.patience.giveUpAtMs;
  }

  #send(who: { caller: Caller }, path: string, { referral, version, body }: { referral: Referral; version: number; body: object }): Promise<Answer> {
    return this.#command(who, { service: 'referral', route: `POST ${path}`, params: { referralId: referral.referralId }, version, body });
  }

  /** Sends it, and now and then twice at once under one key, as an impatient caller does. */
  async #command({ caller }: { caller: Caller }, command: Omit<Command, 'idempotencyKey'>): Promise<Answer> {
    this.#keys += 1;
    const whole: Command = { ...command, params: { organisationId: caller.organisationId, ...command.params }, idempotencyKey: `${this.#seeds.name}-${this.#keys}` };
    if (!this.#rng.chance(0.12)) return await caller.command(whole);
    const [one, again] = await Promise.all([caller.command(whole), caller.command(whole)]);
    return one.outcome === 'acknowledged' ? one : again;
  }
}

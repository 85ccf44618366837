import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { listParked, replayDead, skipDead } from '@amana/messaging';
import { Database, inTransaction } from '@amana/persistence';
import { z } from 'zod';
import { type Act, TheAct } from './act.ts';
import { findIdempotent, rememberIdempotent, requireSameBody } from './idempotency.ts';
import { Looks } from './looks.ts';
import { Allow, Command, Read } from './route.ts';
import { StreamEngine } from './stream.ts';

const Parked = z.object({
  items: z.array(z.object({ eventId: z.string(), type: z.string().nullable(), topic: z.string(), key: z.string(), partition: z.int(), offset: z.string(), state: z.string(), attempts: z.int(), reason: z.string().nullable(), parkedAt: z.string() })),
}).meta({ id: 'ParkedMessages' });
const Decision = z.strictObject({ reasonCode: z.enum(['fixed', 'not-ours', 'duplicate', 'harmless', 'other']) }).meta({ id: 'OperatorDecision' });
const Done = z.object({ eventId: z.string(), state: z.string() });

/** What an operator does about messages that could not be handled: look, try again, leave out. Ids and codes only; each act is on record. */
@Controller()
export class OperatorRoutes {
  readonly #engine: StreamEngine;
  readonly #looks: Looks;
  readonly #database: Database;

  constructor(engine: StreamEngine, looks: Looks, database: Database) {
    this.#engine = engine;
    this.#looks = looks;
    this.#database = database;
  }

  @Read('GET /v1/:service/parked-messages', { summary: 'Messages that wait or are dead, by key', answer: Parked })
  @Allow('parked.read')
  async list(@TheAct() act: Act) {
    const parked = await listParked(this.#database.app, { consumer: this.#engine.service });
    const items = parked.map(({ parkedAt, consumer: _, ...message }) => ({ ...message, parkedAt: parkedAt.toISOString() }));
    return await this.#looks.show(act, [], () => ({ answer: { items }, subjects: [{ type: 'parked-messages', aggregateId: act.organisationId }] }));
  }

  @Command('POST /v1/:service/parked-messages/:eventId/replay', { summary: 'Try a dead message again', creates: true, status: 200, body: Decision, answer: Done })
  @Allow('parked.replay')
  replay(@TheAct() act: Act<z.infer<typeof Decision>>) {
    return this.#decide(act, 'retry');
  }

  @Command('POST /v1/:service/parked-messages/:eventId/skip', { summary: 'Leave a dead message out, so that its key goes on', creates: true, status: 200, body: Decision, answer: Done })
  @Allow('parked.skip')
  skip(@TheAct() act: Act<z.infer<typeof Decision>>) {
    return this.#decide(act, 'skipped');
  }

  /** Carried out once under its key: a repeated request is answered like the first, and gives no message new tries. */
  async #decide(act: Act<z.infer<typeof Decision>>, state: 'retry' | 'skipped') {
    const [eventId, key] = [act.id('eventId'), act.idempotencyKey!];
    const mac = this.#engine.bodyMac(act.fingerprint);
    await inTransaction(this.#database.app, [findIdempotent(act, key)], async (tx, [known]) => {
      if (known![0]) return requireSameBody(known![0], mac);
      const { reasonCode } = act.body;
      const options = { consumer: this.#engine.service, eventId };
      await (state === 'retry' ? replayDead(tx, options) : skipDead(tx, options));
      const subject = { type: 'parked-message', aggregateId: eventId, publicId: eventId };
      this.#engine.append(tx, [this.#engine.trail.entry({ actor: act, action: act.action, subject, decision: 'permit', outcome: `${state}.${reasonCode}`, requestId: act.requestId })], { correlation: act.requestId });
      // There is no stream to answer from again: the row stands for the request itself, for a message may be decided on more than once.
      tx.write(rememberIdempotent(act, key, { mac, stream: act.requestId, version: 1 }));
    });
    return { eventId, state };
  }
}

/** A request id of our own: one from outside is not trusted to be unique, or harmless. */
export function newRequestId(): string {
  return randomUUID();
}

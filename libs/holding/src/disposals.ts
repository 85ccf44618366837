import type { Provider } from '@nestjs/common';
import { Disposition, Id, Refusal } from '@amana/contracts';
import type { ReceivedEvent } from '@amana/messaging';
import type { Statement, Transaction } from '@amana/persistence';
import { type Act, type Aggregate, type RouteOptions, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { acknowledge, attest, type Disposal, disposalDecider, type DisposalEvent, type DisposalEvents } from './domain/disposal.ts';

/** What one kind of holder says of itself: its events, what it holds under a consent, and which keys open that. */
export type Holding = DisposalEvents & {
  /** Reads `organisation_id` and `dispose_not_before` where data is held under this consent and `ended_consent` has it; else no row. */
  heldUnder(consentRef: string): Statement;
  /** Destroys the keys of what was sealed under this consent, but for what is still needed without it. */
  destroyKeysOf(consentRef: string): Statement;
};

const Attestation = z.strictObject({ disposition: Disposition });
export type Attestation = z.infer<typeof Attestation>;
const DisposalAnswer = z.object({ consentRef: Id, state: z.string(), disposition: z.string().optional(), version: z.int() });
export type DisposalAnswer = z.infer<typeof DisposalAnswer>;

/** How a holder's route for attesting reads in its API document. */
export function attesting(holder: string): RouteOptions {
  return {
    summary: 'Say what became of her data after her consent ended; deleting waits for the safety check of the case\'s owner', creates: true, status: 200, refusals: ['illegal-transition'],
    body: Attestation.meta({ id: `${holder}DisposalAttestation` }), answer: DisposalAnswer.meta({ id: `${holder}DisposalAnswer` }),
  };
}

/** What became of her data after a consent ended: one stream per consent, named by its reference. */
export class Disposals extends Stream<Disposal, DisposalEvent, DisposalAnswer> {
  readonly #holding: Holding;

  constructor(engine: StreamEngine, holding: Holding) {
    super(engine, aggregateOf(holding));
    this.#holding = holding;
  }

  /**
   * Acknowledges the end of a consent if data is held here under it. Withdrawal and acceptance come by two topics in any
   * order: whichever comes second finds what the first one left.
   */
  async acknowledgeIfHeld(tx: Transaction, consentRef: string, cause: ReceivedEvent): Promise<void> {
    const [held] = await tx.query(this.#holding.heldUnder(consentRef));
    if (!held) return;
    const withdrawal = { consentRef, organisationId: held.organisation_id as string, disposeNotBefore: (held.dispose_not_before as Date).toISOString() };
    await this.apply(tx, consentRef, { cause, action: 'consent.acknowledge-withdrawal' }, (state) => acknowledge(this.#holding, state, withdrawal));
  }

  /** Says what became of the data. Where it was deleted, its keys are destroyed in the same transaction. */
  attest(act: Act<Attestation>): Promise<DisposalAnswer> {
    const consentRef = act.id('consentRef');
    return this.commit(act, consentRef, (state, { disposition }, { now, tx }) => {
      const decision = attest(this.#holding, state, disposition, now);
      if (!(decision instanceof Refusal) && disposition === 'deleted') tx.write(this.#holding.destroyKeysOf(consentRef));
      return decision;
    });
  }
}

/** A service's `Disposals`, for its module. */
export function disposalsOf(holding: Holding): Provider {
  return { provide: Disposals, inject: [StreamEngine], useFactory: (engine: StreamEngine) => new Disposals(engine, holding) };
}

function aggregateOf(holding: Holding): Aggregate<Disposal, DisposalEvent, DisposalAnswer> {
  return {
    ...disposalDecider(holding),
    name: 'disposal',
    events: [holding.acknowledges, holding.awaits, holding.attests],
    relations: (state, organisationId, params) => (state.status !== 'none' && state.organisationId === organisationId && params.organisationId === organisationId ? ['own'] : []),
    answer: (state, consentRef, version) => ({ consentRef, state: state.status, ...(state.status !== 'none' && state.disposition ? { disposition: state.disposition } : {}), version }),
    subject: (_state, consentRef) => ({ publicId: consentRef }),
  };
}

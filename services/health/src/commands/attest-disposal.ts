import { Controller } from '@nestjs/common';
import { Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { attest } from '../domain/disposal.ts';
import { destroyKeysOf, DisposalAnswer, Disposals } from '../disposals.ts';

const Attestation = z.strictObject({ disposition: z.enum(['deleted', 'returned', 'legal_hold']) }).meta({ id: 'ClinicDisposalAttestation' });

@Controller()
export class AttestDisposal {
  readonly #disposals: Disposals;

  constructor(disposals: Disposals) {
    this.#disposals = disposals;
  }

  @Command('POST /v1/health/:organisationId/disposals/:consentRef', {
    summary: 'Say what became of her data after her consent ended; deleting waits for the safety check of the case\'s owner', creates: true, status: 200, body: Attestation, answer: DisposalAnswer,
    refusals: ['illegal-transition'],
  })
  @Allow('disposal.attest')
  attest(@TheAct() act: Act<z.infer<typeof Attestation>>): Promise<DisposalAnswer> {
    const consentRef = act.id('consentRef');
    return this.#disposals.commit(act, consentRef, (state, { disposition }, { now, tx }) => {
      const decision = attest(state, disposition, now);
      if (!(decision instanceof Refusal) && disposition === 'deleted') tx.write(destroyKeysOf(consentRef));
      return decision;
    });
  }
}

import { Controller } from '@nestjs/common';
import { type Attestation, attesting, type DisposalAnswer, Disposals } from '@amana/holding';
import { type Act, Allow, Command, TheAct } from '@amana/service';

/** What became of her data here: deleted and its keys destroyed, returned, or kept for the law. */
@Controller()
export class AttestDisposal {
  readonly #disposals: Disposals;

  constructor(disposals: Disposals) {
    this.#disposals = disposals;
  }

  @Command('POST /v1/shelter/:organisationId/disposals/:consentRef', attesting('Shelter'))
  @Allow('disposal.attest')
  attest(@TheAct() act: Act<Attestation>): Promise<DisposalAnswer> {
    return this.#disposals.attest(act);
  }
}

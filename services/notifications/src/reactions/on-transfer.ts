import { Controller } from '@nestjs/common';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { ToldFact } from '../domain/who-is-told.ts';
import { Telling } from '../telling.ts';

/** A case is offered from one organisation to another: whoever waits, or has to decide, is told. */
@Controller()
export class OnTransfer {
  readonly #telling: Telling;

  constructor(telling: Telling) {
    this.#telling = telling;
  }

  @Reaction('intake.transfer-offered.v1', 'intake.transfer-accepted.v1', 'intake.transfer-declined.v1', 'intake.transfer-expired.v1')
  async onTransfer(event: ReceivedEvent<ToldFact>, context: InboxContext): Promise<void> {
    await this.#telling.tell(context.getTransaction(), event, { fact: event.data });
  }
}

import { Controller } from '@nestjs/common';
import { Clock } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { Deliveries, DeliveryAnswer } from '../deliveries.ts';
import { replayDelivery } from '../domain/delivery.ts';

const Empty = z.strictObject({});

@Controller()
export class ReplayDelivery {
  readonly #deliveries: Deliveries;
  readonly #clock: Clock;

  constructor(deliveries: Deliveries, clock: Clock) {
    this.#deliveries = deliveries;
    this.#clock = clock;
  }

  @Command('POST /v1/notifications/deliveries/:deliveryId/replay', { summary: 'Send it again now, under the same message id', body: Empty, answer: DeliveryAnswer, refusals: ['illegal-transition'] })
  @Allow('webhook.manage')
  replay(@TheAct() act: Act): Promise<DeliveryAnswer> {
    return this.#deliveries.commit(act, act.id('deliveryId'), (state) => replayDelivery(state, this.#clock.real()));
  }
}

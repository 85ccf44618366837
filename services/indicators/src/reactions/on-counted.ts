import { Controller } from '@nestjs/common';
import type { intakeEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { Statement } from '@amana/persistence';
import type { z } from 'zod';
import { pairOf } from '../domain/counting.ts';

type Counted = z.infer<typeof intakeEvents.Counted.data>;

/** A fact is kept as it came; one that comes twice counts once. */
@Controller()
export class OnCounted {
  @Reaction('intake.counted.v1')
  async onCounted(event: ReceivedEvent<Counted>, context: InboxContext): Promise<void> {
    context.getTransaction().write(keepFact(event.data));
  }
}

export function keepFact(fact: Counted): Statement {
  return {
    name: 'counting-fact-keep', values: [fact.countingId, fact.indicator, fact.month, pairOf(fact.dimensions), JSON.stringify(fact.dimensions)],
    text: 'INSERT INTO counting_fact (counting_id, indicator, month, pair, dimensions) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (counting_id) DO NOTHING',
  };
}

import { Controller } from '@nestjs/common';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { markRead } from '../domain/item.ts';
import { ItemAnswer, Items } from '../items.ts';

const Empty = z.strictObject({});

@Controller()
export class MarkItemRead {
  readonly #items: Items;

  constructor(items: Items) {
    this.#items = items;
  }

  @Command('POST /v1/notifications/items/:itemId/read', { summary: 'Somebody of your organisation has seen it', body: Empty, answer: ItemAnswer })
  @Allow('notification.mark-read')
  read(@TheAct() act: Act): Promise<ItemAnswer> {
    return this.#items.commit(act, act.id('itemId'), (state) => markRead(state));
  }
}

import { describe, it } from '@jest/globals';
import { given } from '@amana/testing';
import { type Item, itemDecider, type ItemEvent, markRead, note } from './item.ts';

const data = { organisationId: '11111111-1111-4111-8111-111111111111', kind: 'needs-answer' as const };
const noted: ItemEvent = { type: 'notifications.item-noted.v1', data };

describe('an item', () => {
  it('is not read before it exists', () => { given<Item, ItemEvent>(itemDecider).when(markRead).yields(); });
  it('is noted once', () => {
    given<Item, ItemEvent>(itemDecider).when((state) => note(state, data)).yields('notifications.item-noted.v1');
    given<Item, ItemEvent>(itemDecider, [noted]).when((state) => note(state, data)).yields();
  });
  it('is read once, however often somebody says so', () => {
    given<Item, ItemEvent>(itemDecider, [noted]).when(markRead).yields('notifications.item-read.v1');
    given<Item, ItemEvent>(itemDecider, [noted, { type: 'notifications.item-read.v1', data: {} }]).when(markRead).yields();
  });
});

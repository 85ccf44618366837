import { type EventOf, Id, privateEvent, type Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

/** One organisation is told once about one cause. It carries no content: who wants to know reads it where it lives. */
export const itemEvents = {
  Noted: privateEvent('notifications.item-noted.v1', z.strictObject({ organisationId: Id, kind: z.enum(['needs-answer', 'for-your-information']), referralId: Id.optional() })),
  Read: privateEvent('notifications.item-read.v1', z.strictObject({})),
} as const;
export type ItemEvent = EventOf<typeof itemEvents>;

export type Item = { readonly status: 'none' } | ({ readonly status: 'unread' | 'read' } & z.infer<typeof itemEvents.Noted.data>);

export const itemDecider: Decider<Item, ItemEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    switch (event.type) {
      case 'notifications.item-noted.v1': return { status: 'unread', ...event.data };
      case 'notifications.item-read.v1': return state.status === 'none' ? state : { ...state, status: 'read' };
    }
  },
};

/** Tells an organisation, once. */
export function note(state: Item, data: z.infer<typeof itemEvents.Noted.data>): readonly ItemEvent[] {
  return state.status === 'none' ? [{ type: 'notifications.item-noted.v1', data }] : [];
}

/** Somebody of the organisation has seen it; a second time changes nothing. */
export function markRead(state: Item): readonly ItemEvent[] | Refusal {
  return state.status === 'unread' ? [{ type: 'notifications.item-read.v1', data: {} }] : [];
}

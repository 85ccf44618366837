import { type EventOf, Id, Instant, privateEvent } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';
import { mailWaitsMs, nextTryAt, type RetryOptions } from './retry-plan.ts';
import type { SendOutcome } from './send-outcome.ts';

export const MailLanguage = z.enum(['ar', 'fr', 'en']);
export type MailLanguage = z.infer<typeof MailLanguage>;

/** Mails to one organisation are this far apart at least: a mail says that something waits, not how much. */
export const mailEveryMs = 10 * 60_000;

/** An organisation's one mail address, which is sealed, and what was sent to it. The stream is the organisation. */
export const mailboxEvents = {
  Registered: privateEvent('notifications.mail-address-registered.v1', z.strictObject({ language: MailLanguage, addressVersion: z.int().min(1) })),
  Removed: privateEvent('notifications.mail-address-removed.v1', z.strictObject({})),
  Due: privateEvent('notifications.mail-due.v1', z.strictObject({ itemId: Id, dueAt: Instant })),
  Sent: privateEvent('notifications.mail-sent.v1', z.strictObject({ attempt: z.int().min(1), at: Instant })),
  Failed: privateEvent('notifications.mail-failed.v1', z.strictObject({ attempt: z.int().min(1), reasonCode: z.string().regex(/^[a-z-]{1,40}$/), nextAt: Instant.optional() })),
} as const;
export type MailboxEvent = EventOf<typeof mailboxEvents>;

export interface Mailbox {
  /** How often an address was registered: the sealed field's version. 0: never. */
  readonly addressVersion: number;
  readonly active: boolean;
  readonly language: MailLanguage;
  readonly pending?: { readonly itemId: string; readonly attempts: number } | undefined;
  readonly lastSentAt?: string;
}

export const mailboxDecider: Decider<Mailbox, MailboxEvent> = {
  initial: { addressVersion: 0, active: false, language: 'fr' },
  evolve(state, event) {
    switch (event.type) {
      case 'notifications.mail-address-registered.v1': return { ...state, ...event.data, active: true };
      case 'notifications.mail-address-removed.v1': return { ...state, active: false, pending: undefined };
      case 'notifications.mail-due.v1': return { ...state, pending: { itemId: event.data.itemId, attempts: 0 } };
      case 'notifications.mail-sent.v1': return { ...state, pending: undefined, lastSentAt: event.data.at };
      case 'notifications.mail-failed.v1': return { ...state, pending: event.data.nextAt && state.pending ? { ...state.pending, attempts: event.data.attempt } : undefined };
    }
  },
};

export function registerAddress(state: Mailbox, language: MailLanguage): readonly MailboxEvent[] {
  return [{ type: 'notifications.mail-address-registered.v1', data: { language, addressVersion: state.addressVersion + 1 } }];
}

export function removeAddress(state: Mailbox): readonly MailboxEvent[] {
  return state.active ? [{ type: 'notifications.mail-address-removed.v1', data: {} }] : [];
}

/** Something needs an answer: one mail is on its way already, or one is due now, or when the last is old enough. Real time. */
export function mailAbout(state: Mailbox, itemId: string, now: Date): readonly MailboxEvent[] {
  if (!state.active || state.pending) return [];
  const notBefore = state.lastSentAt ? Date.parse(state.lastSentAt) + mailEveryMs : 0;
  return [{ type: 'notifications.mail-due.v1', data: { itemId, dueAt: new Date(Math.max(now.getTime(), notBefore)).toISOString() } }];
}

/** What became of a try to mail. It never goes by another channel instead: the item stays in the organisation's list. */
export function settleMail(state: Mailbox, outcome: SendOutcome & { attempt: number }, retry: RetryOptions): readonly MailboxEvent[] {
  if (!state.pending || outcome.attempt !== state.pending.attempts + 1) return [];
  if (outcome.kind === 'delivered') return [{ type: 'notifications.mail-sent.v1', data: { attempt: outcome.attempt, at: retry.now.toISOString() } }];
  const nextAt = outcome.kind === 'gone' || outcome.reasonCode === 'no-mail-server' ? undefined : nextTryAt(mailWaitsMs, outcome.attempt, retry);
  const reasonCode = outcome.kind === 'gone' ? 'gone' : outcome.reasonCode;
  return [{ type: 'notifications.mail-failed.v1', data: { attempt: outcome.attempt, reasonCode, ...(nextAt ? { nextAt: nextAt.toISOString() } : {}) } }];
}

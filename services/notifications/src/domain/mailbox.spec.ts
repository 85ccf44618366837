import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { mailAbout, type Mailbox, mailboxDecider, type MailboxEvent, mailEveryMs, registerAddress, removeAddress, settleMail } from './mailbox.ts';
import { mailWaitsMs } from './retry-plan.ts';

const now = new Date('2024-01-01T00:00:00.000Z');
const retry = { now, random: () => 0.5 };
const itemId = '33333333-3333-4333-8333-333333333333';
const registered: MailboxEvent = { type: 'notifications.mail-address-registered.v1', data: { language: 'ar', addressVersion: 1 } };
const due: MailboxEvent = { type: 'notifications.mail-due.v1', data: { itemId, dueAt: now.toISOString() } };
const sent: MailboxEvent = { type: 'notifications.mail-sent.v1', data: { attempt: 1, at: now.toISOString() } };

describe('mail to an organisation', () => {
  it('is not sent to one that registered no address, or took it back', () => {
    given<Mailbox, MailboxEvent>(mailboxDecider).when((state) => mailAbout(state, itemId, now)).yields();
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, { type: 'notifications.mail-address-removed.v1', data: {} }]).when((state) => mailAbout(state, itemId, now)).yields();
  });

  it('is not sent for a second item while one is on its way', () => {
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due]).when((state) => mailAbout(state, itemId, now)).yields();
  });

  it('is not sent more often than every ten minutes', () => {
    const later = new Date(now.getTime() + 60_000);
    const [event] = given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due, sent]).when((state) => mailAbout(state, itemId, later)).yields('notifications.mail-due.v1');
    expect(event!.data).toMatchObject({ dueAt: new Date(now.getTime() + mailEveryMs).toISOString() });
  });

  it('goes out at once when the last is old', () => {
    const later = new Date(now.getTime() + mailEveryMs + 1);
    const [event] = given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due, sent]).when((state) => mailAbout(state, itemId, later)).yields('notifications.mail-due.v1');
    expect(event!.data).toMatchObject({ dueAt: later.toISOString() });
  });

  it('is tried again after a failure, and at last given up without another channel', () => {
    const failure = { kind: 'failed' as const, reasonCode: 'connection' };
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due]).when((state) => settleMail(state, { ...failure, attempt: 1 }, retry)).yields('notifications.mail-failed.v1');
    const failures = mailWaitsMs.slice(1).map((_, index): MailboxEvent => ({ type: 'notifications.mail-failed.v1', data: { attempt: index + 1, reasonCode: 'connection', nextAt: now.toISOString() } }));
    const [last] = given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due, ...failures]).when((state) => settleMail(state, { ...failure, attempt: mailWaitsMs.length }, retry)).yields('notifications.mail-failed.v1');
    expect(last!.data).not.toHaveProperty('nextAt');
    expect(given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due, ...failures, last!]).state.pending).toBeUndefined();
  });

  it('is given up at once where there is no mail server', () => {
    const [event] = given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due]).when((state) => settleMail(state, { kind: 'failed', reasonCode: 'no-mail-server', attempt: 1 }, retry)).yields('notifications.mail-failed.v1');
    expect(event!.data).not.toHaveProperty('nextAt');
  });

  it('counts only the try that it waits for', () => {
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due]).when((state) => settleMail(state, { kind: 'delivered', status: 250, attempt: 2 }, retry)).yields();
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due, sent]).when((state) => settleMail(state, { kind: 'delivered', status: 250, attempt: 1 }, retry)).yields();
  });

  it('goes to the newest address, and to none after it is taken back', () => {
    const [again] = given<Mailbox, MailboxEvent>(mailboxDecider, [registered]).when((state) => registerAddress(state, 'fr')).yields('notifications.mail-address-registered.v1');
    expect(again!.data).toEqual({ language: 'fr', addressVersion: 2 });
    given<Mailbox, MailboxEvent>(mailboxDecider, [registered, due]).when(removeAddress).yields('notifications.mail-address-removed.v1');
    given<Mailbox, MailboxEvent>(mailboxDecider).when(removeAddress).yields();
  });
});

import { Injectable } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { DeliverySettings } from './delivery-settings.ts';
import { mailIn } from './domain/mail-templates.ts';
import type { MailLanguage } from './domain/mailbox.ts';
import { failureOf, type SendOutcome } from './domain/send-outcome.ts';

/** A sender that tells nothing of who writes. */
const sender = 'no-reply@notices.invalid';

/** Sends the one kind of mail there is: that something needs an answer, with an opaque link. */
@Injectable()
export class MailSender {
  readonly #settings: DeliverySettings;

  constructor(settings: DeliverySettings) {
    this.#settings = settings;
  }

  /** Tries once. Never throws: what failed is told by a code. */
  async send(mail: { address: string; language: MailLanguage; itemId: string }): Promise<SendOutcome> {
    const { smtpUrl, timeoutMs, linkBase } = this.#settings;
    if (!smtpUrl) return { kind: 'failed', reasonCode: 'no-mail-server' };
    const transport = createTransport({
      url: smtpUrl, connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs, disableFileAccess: true, disableUrlAccess: true, xMailer: false,
    } as Parameters<typeof createTransport>[0]);
    try {
      await transport.sendMail({ from: sender, to: { name: '', address: mail.address }, textEncoding: 'base64', ...mailIn(mail.language, { link: new URL(mail.itemId, linkBase).href }) });
      return { kind: 'delivered', status: 250 };
    } catch (error) {
      return failureOf(error);
    } finally {
      transport.close();
    }
  }
}

import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeliverySettings } from './delivery-settings.ts';
import { MailSender } from './mail-sender.ts';

const mail = { address: 'coordination@partner.org', language: 'ar' as const, itemId: '33333333-3333-4333-8333-333333333333' };
const linkBase = 'https://amana.invalid/items/';

let server: Server;
let smtpUrl: string;
let conversation = '';

/** As much of a mail server as it takes to receive a mail: it says yes to everything and remembers it. */
beforeAll(async () => {
  server = createServer((socket) => {
    let inData = false;
    socket.write('220 catcher\r\n');
    socket.on('error', () => {}).on('data', (bytes) => {
      const text = bytes.toString('utf8');
      conversation += text;
      if (inData) {
        if (!conversation.endsWith('\r\n.\r\n')) return;
        inData = false;
        socket.write('250 kept\r\n');
        return;
      }
      for (const line of text.split('\r\n').filter((part) => part !== '')) {
        if (line === 'DATA') inData = true;
        socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  smtpUrl = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => { server.close(resolve); }));

describe('sending a mail', () => {
  it('says that there is no mail server where none is set', async () => {
    expect(await new MailSender(new DeliverySettings()).send(mail)).toEqual({ kind: 'failed', reasonCode: 'no-mail-server' });
  });

  it('says that the mail server is away, without saying to whom it wrote', async () => {
    const outcome = await new MailSender(new DeliverySettings({ smtpUrl: 'smtp://127.0.0.1:1', timeoutMs: 1_000 })).send(mail);
    expect(outcome).toEqual({ kind: 'failed', reasonCode: 'connection' });
  });

  it('tells only that something waits, behind an opaque link, in the organisation\'s language', async () => {
    expect(await new MailSender(new DeliverySettings({ smtpUrl, linkBase, timeoutMs: 2_000 })).send(mail)).toEqual({ kind: 'delivered', status: 250 });
    expect(conversation).toContain('RCPT TO:<coordination@partner.org>');
    const body = conversation.slice(conversation.indexOf('\r\n\r\n'), conversation.lastIndexOf('\r\n.\r\n')).trim();
    const text = Buffer.from(body, 'base64').toString('utf8');
    expect(text).toContain('هناك عنصر ينتظر ردكم');
    expect(text).toContain(`${linkBase}${mail.itemId}`);
    expect(conversation).not.toMatch(/x-mailer|nodemailer/i);
  });
});

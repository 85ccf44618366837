import { describe, expect, it } from '@jest/globals';
import { forbiddenVariables, mailIn, mailTemplates } from './mail-templates.ts';
import { MailLanguage } from './mailbox.ts';

const link = 'https://amana.invalid/items/33333333-3333-4333-8333-333333333333';

describe('a mail', () => {
  it.each(['{name}', '{{link}}', '${link}', '{ link }', '<%= service %>', '%s', '%(city)s', '[[place]]', '#{urgency}', 'Dear {organisation},'])('may not be filled with %s', (text) => {
    expect(forbiddenVariables(text)).not.toEqual([]);
  });

  it.each(MailLanguage.options)('in %s is filled with nothing but an opaque link', (language) => {
    const { subject, text } = mailTemplates[language];
    expect(forbiddenVariables(subject)).toEqual([]);
    expect(forbiddenVariables(text)).toEqual([]);
    expect(subject).not.toContain('{');
    expect(mailIn(language, { link }).text).toContain(link);
    expect(mailIn(language, { link }).text).not.toContain('{');
  });

  it.each(MailLanguage.options)('in %s names no thing, no place and no hurry', (language) => {
    const telling = /referral|shelter|clinic|survivor|victim|urgent|immediate|trafficking|orientation|refuge|foyer|clinique|victime|traite|إحالة|ملجأ|مأوى|عيادة|ضحية|ناجية|عاجل|اتجار/iu;
    expect(`${mailTemplates[language].subject} ${mailTemplates[language].text}`).not.toMatch(telling);
  });
});

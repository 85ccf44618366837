import type { MailLanguage } from './mailbox.ts';

export interface MailTemplate {
  readonly subject: string;
  readonly text: string;
}

/** All that a mail may be filled with: an opaque link, which tells nothing to whoever is not logged in. */
export const allowedVariables = ['link'] as const;

/** What staff read. No service, no place, no name, no organisation, and no word that says how urgent it is. */
export const mailTemplates: Readonly<Record<MailLanguage, MailTemplate>> = {
  ar: { subject: 'رسالة جديدة', text: 'هناك عنصر ينتظر ردكم.\n\n{link}\n' },
  fr: { subject: 'Nouveau message', text: 'Un élément attend votre réponse.\n\n{link}\n' },
  en: { subject: 'New message', text: 'An item needs your answer.\n\n{link}\n' },
};

/** The mail in this language. */
export function mailIn(language: MailLanguage, variables: Readonly<Record<(typeof allowedVariables)[number], string>>): MailTemplate {
  const { subject, text } = mailTemplates[language];
  return { subject, text: text.replaceAll('{link}', variables.link) };
}

/** Whatever looks like a variable, in the ways templates have of writing one. */
const variable = /\$?\{+\s*([^{}]*?)\s*\}+|<%[-=]?\s*(.*?)\s*%>|%(?:\(([^)]*)\))?[sdifjoO]|\[\[\s*(.*?)\s*\]\]|#\{(.*?)\}/gu;

/** The variables of a text that are not allowed; empty when it may be sent. */
export function forbiddenVariables(text: string): string[] {
  return [...text.matchAll(variable)].filter(([whole]) => !allowedVariables.some((name) => whole === `{${name}}`)).map(([whole]) => whole);
}

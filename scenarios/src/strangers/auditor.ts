import { text } from 'node:stream/consumers';
import { Api, until } from './api.ts';

// An audit body's system: it reads the history of what a supervisor handed over, which comes on standard input.

interface Entry { readonly at: string; readonly action: string; readonly actor: { readonly org: string }; readonly object: { readonly type: string } }

const api = await Api.fromCommandLine();
const { referrals, tags } = JSON.parse(await text(process.stdin)) as { referrals: readonly string[]; tags: readonly string[] };

/** All pages of a history. */
async function history(resource: string, path: Record<string, string>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after: string | undefined, page = 1; page <= 50; page += 1) {
    const { body } = await api.call('get', resource, { path, query: { limit: '20', ...(after ? { after } : {}) } });
    entries.push(...body.entries as Entry[]);
    after = body.next as string | undefined;
    if (!after) return entries;
  }
  throw new Error('A history of more than 50 pages');
}

const closing = api.find('post', 'referrals/{}/closure').operation['x-amana-action'];
const acts = await Promise.all(referrals.map((referralId) => until('the closed loop in the history', async () => {
  const entries = await history('audit/referrals/{}', { referralId });
  return entries.some(({ action }) => action === closing) ? entries : undefined;
})));
const looks = await Promise.all(referrals.map((referralId) => history('referrals/{}/looks', { referralId })));
const tagged = await Promise.all(tags.map((tag) => history('tags/{}', { tag })));
const unknown = [...acts.flat(), ...tagged.flat()].filter(({ action, actor }) => actor.org !== 'system' && !api.actions.has(action)).map(({ action }) => action);
const actionsOf = (entries: readonly Entry[][]): string[] => entries.flat().map(({ action }) => action);
console.log(JSON.stringify({ acts: actionsOf(acts), looks: actionsOf(looks), tagged: tagged.map((entries) => entries.length), unknown, entries: [...acts.flat(), ...tagged.flat()] }));

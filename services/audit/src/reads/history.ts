import { Controller } from '@nestjs/common';
import { Refusal } from '@amana/contracts';
import type { Row, Statement } from '@amana/persistence';
import { readLeaf } from '@amana/privacy';
import { type Act, Allow, Looks, Read, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';
import { afterCursor, cursorOf, type Place } from '../domain/place.ts';

const Entry = z.object({
  entryId: z.string(), at: z.iso.datetime(), producer: z.string(), action: z.string(),
  actor: z.object({ tag: z.string().describe('A pseudonym: one person inside one organisation'), org: z.string(), role: z.string() }),
  object: z.object({ type: z.string(), id: z.string(), version: z.int().optional() }), tag: z.string().describe('All entries of the producer about the same thing carry it'),
  decision: z.enum(['permit', 'deny']), outcome: z.string(), consent: z.object({ ref: z.string(), version: z.int() }).optional(), recipientOrg: z.string().optional(), requestId: z.string(),
}).meta({ id: 'HistoryEntry' });
const Entries = z.object({ entries: z.array(Entry), next: z.string().optional() }).meta({ id: 'History' });
const Page = z.object({ limit: z.coerce.number().int().min(1).max(100).default(100), after: z.string().regex(/^[\w-]{1,400}$/).optional().describe('The `next` of the page before') });
type PageQuery = z.infer<typeof Page>;

/** Which rows make up a history, by what `$1` is. */
const scopes = {
  referral: 'key = $1',
  looks: 'key = $1 AND look',
  // Who read the trail of a tag stands in the history of that tag.
  tag: '(tag = $1 OR (object_type = \'audit-trail\' AND object_id = $1))',
} as const;

/** What an auditor reads: acts and looks in order, pseudonymous; reading them is itself on record. */
@Controller()
export class History {
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  @Read('GET /v1/audit/referrals/:referralId', { summary: 'Every act and every look that belongs to a referral, in order', query: Page, answer: Entries })
  @Allow('audit.read')
  ofReferral(@TheAct() act: Act<unknown, PageQuery>) {
    const referralId = act.id('referralId');
    return this.#show(act, { scope: 'referral', of: referralId, subject: { type: 'audit-trail', aggregateId: referralId, publicId: referralId, referralId } });
  }

  @Read('GET /v1/audit/referrals/:referralId/looks', { summary: 'Who saw what of a referral, and who tried to', query: Page, answer: Entries })
  @Allow('audit.read')
  looksOfReferral(@TheAct() act: Act<unknown, PageQuery>) {
    const referralId = act.id('referralId');
    return this.#show(act, { scope: 'looks', of: referralId, subject: { type: 'audit-trail', aggregateId: referralId, publicId: referralId, referralId } });
  }

  @Read('GET /v1/audit/tags/:tag', { summary: 'Everything a producer recorded under one tag, in order', query: Page, answer: Entries })
  @Allow('audit.read')
  ofTag(@TheAct() act: Act<unknown, PageQuery>) {
    const { tag } = act.params;
    if (!tag || !/^[\w-]{22}$/.test(tag)) throw new Refusal('not-found');
    return this.#show(act, { scope: 'tag', of: tag, subject: { type: 'audit-trail', aggregateId: tag, publicId: tag } });
  }

  #show(act: Act<unknown, PageQuery>, options: { scope: keyof typeof scopes; of: string; subject: Subject }) {
    const { limit, after } = act.query;
    return this.#looks.show(act, [history({ ...options, after: after === undefined ? undefined : afterCursor(after), limit: limit + 1 })], ([rows]) => {
      const page = rows!.slice(0, limit);
      const next = rows!.length > limit ? cursorOf(placeOf(page.at(-1)!)) : undefined;
      return { answer: { entries: page.map(toEntry), ...(next ? { next } : {}) }, subjects: [options.subject] };
    });
  }
}

/**
 * By cause, then by time: all that one request led to stands together, the request before its effects, whatever the
 * clocks of the services said; causes follow one another as they began. `received` makes the order total.
 */
function history(options: { scope: keyof typeof scopes; of: string; after: Place | undefined; limit: number }): Statement {
  const { after } = options;
  return {
    name: `audit-history-${options.scope}`, values: [options.of, after?.began ?? null, after?.correlation ?? '', after?.ownDoing ?? false, after?.at ?? null, after?.received ?? null, options.limit],
    text: `WITH found AS (SELECT *, min(at) OVER (PARTITION BY correlation) AS began FROM audit_entry WHERE ${scopes[options.scope]})
      SELECT * FROM found WHERE $2::timestamptz IS NULL OR (began, correlation, own_doing, at, received) > ($2, $3, $4, $5::timestamptz, $6::bigint)
      ORDER BY began, correlation, own_doing, at, received LIMIT $7`,
  };
}

function placeOf(row: Row): Place {
  return { began: (row.began as Date).toISOString(), correlation: row.correlation as string, ownDoing: row.own_doing as boolean, at: (row.at as Date).toISOString(), received: String(row.received) };
}

function toEntry(row: Row): z.infer<typeof Entry> {
  // From the bytes that the ledger proves; the columns only find them.
  const { at, producer, action, actor, object, subjectTag, decision, outcome, consent, recipientOrg, requestId } = readLeaf(row.body as Buffer);
  return { entryId: row.event_id as string, at, producer, action, actor: { tag: actor.tag, org: actor.org, role: actor.role }, object, tag: subjectTag, decision, outcome, consent, recipientOrg, requestId };
}

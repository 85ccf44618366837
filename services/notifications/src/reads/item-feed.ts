import { Controller } from '@nestjs/common';
import { Id, Instant, Refusal } from '@amana/contracts';
import type { Row, Statement } from '@amana/persistence';
import { type Act, Allow, etagOf, Looks, Read, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';

export const ItemView = z.object({
  itemId: Id, seq: z.int().describe('Grows by one with each item of your organisation'), kind: z.enum(['needs-answer', 'for-your-information']),
  referralId: Id.optional().describe('Read there what it is about'), notedAt: Instant, read: z.boolean(), version: z.int(),
}).meta({ id: 'ItemView' });

const Feed = z.object({ items: z.array(ItemView), last: z.int().describe('The newest `seq` there is'), next: z.int().optional().describe('Ask again with `after` set to it') }).meta({ id: 'ItemFeed' });
const FeedQuery = z.object({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('A `seq`: items after it, oldest first. Without it, the newest first'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

/** What an organisation was told about: the source of truth, for whoever is called and for whoever only asks. */
@Controller()
export class ItemFeed {
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  @Read('GET /v1/notifications/items', { summary: 'What your organisation should look at', query: FeedQuery, answer: Feed })
  @Allow('notification.read')
  list(@TheAct() act: Act<unknown, z.infer<typeof FeedQuery>>) {
    const { after, limit } = act.query;
    return this.#looks.show(act, [...number(act.organisationId), page(act.organisationId, { after, limit: limit + 1 }), lastOf(act.organisationId)], (rows) => {
      const [found, [feed]] = [rows.at(-2)!, rows.at(-1)!];
      const items = found.slice(0, limit);
      const more = after !== undefined && found.length > limit;
      return { answer: { items: items.map(toView), last: Number(feed!.last_seq), ...(more ? { next: Number(items.at(-1)!.seq) } : {}) }, subjects: items.map(subjectOf) };
    });
  }

  @Read('GET /v1/notifications/items/:itemId', { summary: 'One item: where a webhook\'s itemId leads', answer: ItemView })
  @Allow('notification.read')
  one(@TheAct() act: Act) {
    const itemId = act.id('itemId');
    const one: Statement = { name: 'item-one', text: 'SELECT * FROM item WHERE item_id = $1', values: [itemId] };
    return this.#looks.show(act, [...number(act.organisationId), one], async (rows) => {
      const row = rows.at(-1)![0];
      // Another organisation's item is one that does not exist.
      await this.#looks.require(act, row?.organisation_id === act.organisationId ? ['network'] : [], row ? subjectOf(row) : { type: 'notification-item', aggregateId: itemId, publicId: itemId });
      if (!row) throw new Refusal('not-found');
      act.header('etag', etagOf(row.version as number));
      return { answer: toView(row), subjects: [subjectOf(row)] };
    });
  }
}

/**
 * Gives the organisation's new items their numbers, under its lock and in a statement that sees whatever was committed
 * before it: a number is never given below one that somebody has seen. At most 1,000 at a time; the rest with the next look.
 */
function number(organisationId: string): Statement[] {
  return [
    { name: 'feed-open', text: 'INSERT INTO item_feed (organisation_id) VALUES ($1) ON CONFLICT DO NOTHING', values: [organisationId] },
    { name: 'feed-lock', text: 'SELECT last_seq FROM item_feed WHERE organisation_id = $1 FOR UPDATE', values: [organisationId] },
    {
      name: 'feed-number', values: [organisationId],
      text: `WITH fresh AS (
          SELECT item_id, row_number() OVER (ORDER BY noted_at, item_id) AS n FROM (
            SELECT item_id, noted_at FROM item WHERE organisation_id = $1 AND seq IS NULL ORDER BY noted_at, item_id LIMIT 1000) AS unnumbered),
        numbered AS (UPDATE item SET seq = item_feed.last_seq + fresh.n FROM fresh, item_feed WHERE item.item_id = fresh.item_id AND item_feed.organisation_id = $1 RETURNING 1)
        UPDATE item_feed SET last_seq = last_seq + (SELECT count(*) FROM numbered) WHERE organisation_id = $1 AND EXISTS (SELECT 1 FROM numbered)`,
    },
  ];
}

function page(organisationId: string, options: { after: number | undefined; limit: number }): Statement {
  return options.after === undefined
    ? { name: 'feed-newest', text: 'SELECT * FROM item WHERE organisation_id = $1 AND seq IS NOT NULL ORDER BY seq DESC LIMIT $2', values: [organisationId, options.limit] }
    : { name: 'feed-after', text: 'SELECT * FROM item WHERE organisation_id = $1 AND seq > $3 ORDER BY seq LIMIT $2', values: [organisationId, options.limit, options.after] };
}

function lastOf(organisationId: string): Statement {
  return { name: 'feed-last', text: 'SELECT last_seq FROM item_feed WHERE organisation_id = $1', values: [organisationId] };
}

function subjectOf(row: Row): Subject {
  const itemId = row.item_id as string;
  return { type: 'notification-item', aggregateId: itemId, publicId: itemId, referralId: (row.referral_id as string | null) ?? undefined, version: row.version as number };
}

function toView(row: Row): z.infer<typeof ItemView> {
  return {
    itemId: row.item_id as string, seq: Number(row.seq), kind: row.kind as z.infer<typeof ItemView>['kind'], referralId: (row.referral_id as string | null) ?? undefined,
    notedAt: (row.noted_at as Date).toISOString(), read: row.read_at !== null, version: row.version as number,
  };
}

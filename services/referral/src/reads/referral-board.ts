import { Controller } from '@nestjs/common';
import { Id, Instant, publishedEvents, Refusal } from '@amana/contracts';
import type { Row, Statement, StoredEvent } from '@amana/persistence';
import { type Act, Allow, decodeCursor, encodeCursor, etagOf, Looks, type Projection, Read, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';
import { privateReferralEvents } from '../domain/referral.ts';
import { ReferralStatus } from '../referrals.ts';

export const ReferralView = z.object({
  referralId: Id, fromOrg: Id, toOrg: Id, serviceId: Id, serviceKind: z.string(), status: ReferralStatus, version: z.int(), urgency: z.string(), placementClass: z.string().optional(),
  dependantsCount: z.int(), deliveryMode: z.string(), occurredAt: Instant, recordedAt: Instant, submittedAt: Instant.optional(), ackBy: Instant.optional(), decideBy: Instant.optional(),
  serveBy: Instant.optional(), expiresAt: Instant.optional(), holdId: Id.optional(), reasonCode: z.string().optional(), alternatives: z.array(Id), outcomeCode: z.string().optional(),
  arrivalConfirmed: z.boolean(), redirectedFrom: Id.optional(), redirectedTo: Id.optional(),
  links: z.object({ profile: z.string(), disclosure: z.string() }).describe('Her bands before you accept, what she consented to afterwards: at the sender\'s intake'),
}).meta({ id: 'ReferralView' });
export type ReferralView = z.infer<typeof ReferralView>;

const Board = z.object({ items: z.array(ReferralView), next: z.string().optional() }).meta({ id: 'ReferralBoard' });
const BoardQuery = z.object({
  side: z.enum(['received', 'sent']).default('received'), status: z.string().regex(/^[a-z-]{1,20}$/).optional().describe('A status as the items carry it'),
  limit: z.coerce.number().int().min(1).max(100).default(50), after: z.string().regex(/^[\w-]{1,200}$/).optional().describe('The `next` of the page before'),
});

const statusOf: Record<string, ReferralStatus> = {
  'referral.acknowledged.v1': 'acknowledged', 'referral.scheduled.v1': 'scheduled', 'referral.started.v1': 'in-progress', 'referral.completed.v1': 'completed', 'referral.loop-closed.v1': 'closed',
  'referral.cancelled.v1': 'cancelled', 'referral.withdrawn.v1': 'withdrawn', 'referral.failed.v1': 'failed', 'referral.declined.v1': 'declined', 'referral.expired.v1': 'expired', 'referral.accepted.v1': 'accepted',
};

/** The board follows every event of a referral, in the transaction that appends it. */
export const referralBoard: Projection = {
  on: [...publishedEvents.keys()].filter((type) => type.startsWith('referral.') && publishedEvents.get(type)!.topic === 'referral.referral.v1').concat(Object.values(privateReferralEvents).map((event) => event.type)),
  project(event: StoredEvent): readonly Statement[] {
    if (event.type === 'referral.drafted.v1') return drafted(event as StoredEvent<z.infer<typeof privateReferralEvents.Drafted.data>>);
    const data = event.data as Record<string, unknown>;
    if (event.type === 'referral.submitted.v1') {
      return [{
        name: 'board-submitted', values: [event.stream, event.version, event.at, data.ackBy, data.decideBy, data.serveBy, data.expiresAt],
        text: 'UPDATE referral_board SET status = \'submitted\', version = $2, submitted_at = $3, changed_at = $3, ack_by = $4, decide_by = $5, serve_by = $6, expires_at = $7 WHERE referral_id = $1',
      }];
    }
    return [{
      name: 'board-moved',
      values: [event.stream, event.version, event.at, statusOf[event.type] ?? null, data.holdId ?? null, event.type === 'referral.decline-noted.v1' ? null : data.reasonCode ?? null, data.alternatives ?? null, data.outcomeCode ?? null, event.type === 'referral.arrival-confirmed.v1'],
      text: `UPDATE referral_board SET version = $2, changed_at = $3, status = COALESCE($4, status), hold_id = COALESCE($5, hold_id), reason_code = COALESCE($6, reason_code),
        alternatives = COALESCE($7, alternatives), outcome_code = COALESCE($8, outcome_code), arrival_confirmed = arrival_confirmed OR $9 WHERE referral_id = $1`,
    }];
  },
};

function drafted(event: StoredEvent<z.infer<typeof privateReferralEvents.Drafted.data>>): Statement[] {
  const { data } = event;
  const recipient = data.recipients[0]!;
  const insert: Statement = {
    name: 'board-drafted',
    values: [event.stream, data.fromOrg, recipient.organisationId, recipient.serviceId, recipient.serviceKind, event.version, data.urgency, data.placementClass ?? null, data.dependantsCount,
      data.deliveryMode, data.occurredAt, event.at, recipient.consentRef, data.redirectedFrom ?? null],
    text: `INSERT INTO referral_board (referral_id, from_org, to_org, service_id, kind, status, version, urgency, placement_class, dependants_count, delivery_mode, occurred_at, recorded_at, consent_ref, redirected_from, changed_at)
      VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $10, $11, $12, $13, $14, $12)`,
  };
  const pointOn: Statement = { name: 'board-redirected', text: 'UPDATE referral_board SET redirected_to = $2 WHERE referral_id = $1', values: [data.redirectedFrom, event.stream] };
  return data.redirectedFrom ? [insert, pointOn] : [insert];
}

@Controller()
export class ReferralBoard {
  readonly #looks: Looks;
  constructor(looks: Looks) {
    this.#looks = looks;
  }

  @Read('GET /v1/referral/referrals', { summary: 'Referrals sent to you or by you, newest change first', query: BoardQuery, answer: Board })
  @Allow('referral.list')
  list(@TheAct() act: Act<unknown, z.infer<typeof BoardQuery>>) {
    const { side, status, limit, after } = act.query;
    const [afterAt, afterId] = after ? decodeCursor(after) : [null, null];
    const mine = side === 'sent' ? 'from_org = $1' : 'to_org = $1 AND status <> \'draft\'';
    return this.#looks.show(act, [{
      name: `board-${side}`, values: [act.organisationId, status ?? null, afterAt, afterId, limit + 1],
      text: `SELECT * FROM referral_board WHERE ${mine} AND ($2::text IS NULL OR status = $2)
        AND ($3::timestamptz IS NULL OR (changed_at, referral_id) < ($3, $4::uuid)) ORDER BY changed_at DESC, referral_id DESC LIMIT $5`,
    }], ([rows]) => {
      const page = rows!.slice(0, limit);
      const next = rows!.length > limit ? encodeCursor(page.at(-1)!.changed_at as Date, page.at(-1)!.referral_id as string) : undefined;
      return { answer: { items: page.map(toView), ...(next ? { next } : {}) }, subjects: page.map(subjectOf) };
    });
  }

  @Read('GET /v1/referral/referrals/:referralId', { summary: 'One referral, as its sender or receiver sees it', answer: ReferralView })
  @Allow('referral.read')
  async one(@TheAct() act: Act) {
    const referralId = act.id('referralId');
    return await this.#looks.show(act, [{ name: 'board-one', text: 'SELECT * FROM referral_board WHERE referral_id = $1', values: [referralId] }], async ([rows]) => {
      const row = rows![0];
      const relations = row?.from_org === act.organisationId ? ['sending'] as const : row?.to_org === act.organisationId && row?.status !== 'draft' ? ['receiving'] as const : [];
      await this.#looks.require(act, relations, row ? subjectOf(row) : { type: 'referral', aggregateId: referralId, referralId });
      if (!row) throw new Refusal('not-found');
      act.header('etag', etagOf(row.version as number));
      return { answer: toView(row), subjects: [subjectOf(row)] };
    });
  }
}

function subjectOf(row: Row): Subject {
  const referralId = row.referral_id as string;
  return { type: 'referral', aggregateId: referralId, publicId: referralId, referralId, version: row.version as number, recipientOrg: row.to_org as string };
}

function toView(row: Row): ReferralView {
  const at = (column: string) => (row[column] as Date | null)?.toISOString();
  const text = (column: string) => (row[column] as string | null) ?? undefined;
  const disclosure = `/v1/intake/${String(row.from_org)}/disclosures/${String(row.referral_id)}`;
  return {
    referralId: text('referral_id')!, fromOrg: text('from_org')!, toOrg: text('to_org')!, serviceId: text('service_id')!, serviceKind: text('kind')!, status: text('status') as ReferralStatus, version: row.version as number,
    urgency: text('urgency')!, placementClass: text('placement_class'), dependantsCount: row.dependants_count as number, deliveryMode: text('delivery_mode')!, occurredAt: at('occurred_at')!, recordedAt: at('recorded_at')!,
    submittedAt: at('submitted_at'), ackBy: at('ack_by'), decideBy: at('decide_by'), serveBy: at('serve_by'), expiresAt: at('expires_at'), holdId: text('hold_id'), reasonCode: text('reason_code'),
    alternatives: row.alternatives as string[], outcomeCode: text('outcome_code'), arrivalConfirmed: row.arrival_confirmed as boolean, redirectedFrom: text('redirected_from'), redirectedTo: text('redirected_to'),
    links: { profile: `${disclosure}/profile`, disclosure },
  };
}

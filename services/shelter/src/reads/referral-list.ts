import { Controller } from '@nestjs/common';
import { Id, Instant } from '@amana/contracts';
import type { Row } from '@amana/persistence';
import { type Act, Allow, decodeCursor, encodeCursor, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';

const AskedStay = z.object({
  referralId: Id, fromOrg: Id, serviceId: Id, status: z.string(), urgency: z.string(), placementClass: z.string().optional(), dependantsCount: z.int(),
  submittedAt: Instant, ackBy: Instant, decideBy: Instant, serveBy: Instant, expiresAt: Instant,
  hold: z.object({ holdId: Id, state: z.string() }).optional().describe('The hold that keeps beds for it at present'),
}).meta({ id: 'AskedStay' });
type AskedStay = z.infer<typeof AskedStay>;
const AskedStays = z.object({ items: z.array(AskedStay), next: z.string().optional() }).meta({ id: 'AskedStays' });
const Query = z.object({
  status: z.string().regex(/^[a-z-]{1,20}$/).optional().describe('A status as the items carry it'), limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().regex(/^[\w-]{1,200}$/).optional().describe('The `next` of the page before'),
});

@Controller()
export class ReferralList {
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  @Read('GET /v1/shelter/:organisationId/referrals', { summary: 'Who asks you for a place, newest first', query: Query, answer: AskedStays })
  @Allow('stay.read')
  async list(@TheAct() act: Act<unknown, z.infer<typeof Query>>): Promise<z.infer<typeof AskedStays>> {
    await this.#looks.require(act, act.id('organisationId') === act.organisationId ? ['own'] : [], { type: 'organisation', aggregateId: act.id('organisationId') });
    const { status, limit, after } = act.query;
    const [afterAt, afterId] = after ? decodeCursor(after) : [null, null];
    return await this.#looks.show(act, [{
      name: 'shelter-referral-page', values: [act.organisationId, status ?? null, afterAt, afterId, limit + 1],
      text: `SELECT r.*, h.hold_id, h.state AS hold_state FROM shelter_referral r
          LEFT JOIN hold h ON h.referral_id = r.referral_id AND h.state IN ('unconfirmed', 'confirmed', 'occupied')
        WHERE r.organisation_id = $1 AND ($2::text IS NULL OR r.status = $2) AND ($3::timestamptz IS NULL OR (r.submitted_at, r.referral_id) < ($3, $4::uuid))
        ORDER BY r.submitted_at DESC, r.referral_id DESC LIMIT $5`,
    }], ([rows]) => {
      const page = rows!.slice(0, limit).map(toView);
      const last = page.at(-1);
      const next = last && rows!.length > limit ? encodeCursor(new Date(last.submittedAt), last.referralId) : undefined;
      return {
        answer: { items: page, ...(next ? { next } : {}) },
        subjects: page.map(({ referralId }) => ({ type: 'referral', aggregateId: referralId, publicId: referralId, referralId })),
      };
    });
  }
}

function toView(row: Row): AskedStay {
  const at = (column: string): string => (row[column] as Date).toISOString();
  return {
    referralId: row.referral_id as string, fromOrg: row.from_org as string, serviceId: row.service_id as string, status: row.status as string, urgency: row.urgency as string,
    ...(row.placement_class ? { placementClass: row.placement_class as string } : {}), dependantsCount: row.dependants_count as number,
    submittedAt: at('submitted_at'), ackBy: at('ack_by'), decideBy: at('decide_by'), serveBy: at('serve_by'), expiresAt: at('expires_at'),
    ...(row.hold_id ? { hold: { holdId: row.hold_id as string, state: row.hold_state as string } } : {}),
  };
}

import { Controller } from '@nestjs/common';
import { Id, Instant } from '@amana/contracts';
import type { Row } from '@amana/persistence';
import { type Act, Allow, decodeCursor, encodeCursor, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { MedicalStatus, subjectOf } from '../medical-referrals.ts';

const ListedReferral = z.object({
  referralId: Id, fromOrg: Id, serviceId: Id, status: MedicalStatus.describe('asked until the acceptance has arrived'), version: z.int(), urgency: z.string(),
  submittedAt: Instant, ackBy: Instant, decideBy: Instant, serveBy: Instant, appointment: z.object({ appointmentId: Id, attempt: z.int(), startsAt: Instant }).optional(),
}).meta({ id: 'ListedMedicalReferral' });
type ListedReferral = z.infer<typeof ListedReferral>;
const ListedReferrals = z.object({ items: z.array(ListedReferral), next: z.string().optional() }).meta({ id: 'ListedMedicalReferrals' });
const Query = z.object({
  status: MedicalStatus.optional(), limit: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().regex(/^[\w-]{1,200}$/).optional().describe('The `next` of the page before'),
});

@Controller()
export class MedicalReferralList {
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  @Read('GET /v1/health/:organisationId/medical-referrals', { summary: 'Who is sent to your clinic, newest first', query: Query, answer: ListedReferrals })
  @Allow('medical.list')
  async list(@TheAct() act: Act<unknown, z.infer<typeof Query>>): Promise<z.infer<typeof ListedReferrals>> {
    await this.#looks.require(act, act.id('organisationId') === act.organisationId ? ['own'] : [], { type: 'organisation', aggregateId: act.id('organisationId') });
    const { status, limit, after } = act.query;
    const [afterAt, afterId] = after ? decodeCursor(after) : [null, null];
    return await this.#looks.show(act, [{
      name: 'health-list-page', values: [act.organisationId, status ?? null, afterAt, afterId, limit + 1],
      text: `SELECT * FROM medical_referral WHERE organisation_id = $1 AND ($2::text IS NULL OR status = $2)
        AND ($3::timestamptz IS NULL OR (submitted_at, referral_id) < ($3, $4::uuid)) ORDER BY submitted_at DESC, referral_id DESC LIMIT $5`,
    }], ([rows]) => {
      const page = rows!.slice(0, limit).map(toView);
      const last = page.at(-1);
      const next = last && rows!.length > limit ? encodeCursor(new Date(last.submittedAt), last.referralId) : undefined;
      return {
        answer: { items: page, ...(next ? { next } : {}) },
        subjects: page.map((item) => subjectOf(item.referralId, item.version)),
      };
    });
  }
}

function toView(row: Row): ListedReferral {
  const at = (column: string): string => (row[column] as Date).toISOString();
  return {
    referralId: row.referral_id as string, fromOrg: row.from_org as string, serviceId: row.service_id as string, status: row.status as MedicalStatus, version: row.version as number, urgency: row.urgency as string,
    submittedAt: at('submitted_at'), ackBy: at('ack_by'), decideBy: at('decide_by'), serveBy: at('serve_by'),
    ...(row.appointment_id ? { appointment: { appointmentId: row.appointment_id as string, attempt: row.attempt as number, startsAt: at('starts_at') } } : {}),
  };
}

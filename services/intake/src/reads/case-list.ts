import { Controller } from '@nestjs/common';
import { Id, Instant } from '@amana/contracts';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseStatus } from '../cases.ts';
import { PageQuery, pageOf, startOf } from '../cursor.ts';
import { Held } from '../held.ts';

const CaseListQuery = PageQuery.extend({ status: z.string().regex(/^[a-z-]{1,20}$/).optional().describe('A status as the items carry it') });
const CaseList = z.object({
  items: z.array(z.object({ caseId: Id, status: CaseStatus, version: z.int(), openedAt: Instant, changedAt: Instant })), next: z.string().optional(),
}).meta({ id: 'CaseList' });

/** An organisation's own cases, without a name: who somebody is stands in the case alone. */
@Controller()
export class CaseListRead {
  readonly #looks: Looks;
  readonly #held: Held;

  constructor(looks: Looks, held: Held) {
    this.#looks = looks;
    this.#held = held;
  }

  @Read('GET /v1/intake/:organisationId/cases', { summary: 'Your organisation\'s cases, newest change first; no identity', query: CaseListQuery, answer: CaseList })
  @Allow('case.list')
  async list(@TheAct() act: Act<unknown, z.infer<typeof CaseListQuery>>) {
    const { organisationId } = act;
    const own = act.params.organisationId === organisationId && this.#held.holds(organisationId);
    await this.#looks.require(act, own ? ['own'] : [], { type: 'case-list', aggregateId: organisationId });
    const { limit, after, status } = act.query;
    return await this.#looks.show(act, [{
      name: 'case-list', values: [organisationId, status ?? null, ...startOf(after), limit + 1],
      text: `SELECT case_id, status, version, opened_at, changed_at FROM case_board WHERE organisation_id = $1 AND ($2::text IS NULL OR status = $2)
        AND ($3::timestamptz IS NULL OR (changed_at, case_id) < ($3, $4::uuid)) ORDER BY changed_at DESC, case_id DESC LIMIT $5`,
    }], ([rows]) => {
      const page = pageOf(rows!, limit, 'case_id');
      return {
        answer: {
          items: page.rows.map((row) => ({
            caseId: row.case_id as string, status: row.status as CaseStatus, version: row.version as number, openedAt: (row.opened_at as Date).toISOString(), changedAt: (row.changed_at as Date).toISOString(),
          })),
          ...(page.next ? { next: page.next } : {}),
        },
        subjects: page.rows.map((row) => ({ type: 'case', aggregateId: row.case_id as string, version: row.version as number })),
      };
    });
  }
}

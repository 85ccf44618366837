import { Controller } from '@nestjs/common';
import { Id } from '@amana/contracts';
import { Database, inTransaction } from '@amana/persistence';
import { type Act, Allow, AuditTrail, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { handToAuditor } from '../domain/case.ts';
import { linksOfCase } from '../referral-links.ts';

const HandOver = z.strictObject({ reasonCode: z.enum(['yearly-review', 'complaint', 'incident', 'funder-audit', 'other']).default('yearly-review') }).meta({ id: 'AuditHandOver' });
const HandOverAnswer = z.object({
  caseId: Id, tags: z.array(z.string()).describe('The tag of the case first, then those of its consents and transfers'), referrals: z.array(Id),
}).meta({ id: 'AuditHandOverAnswer' });

/** A supervisor names what an auditor may look for: the acts then tell what was done, though not for whom. */
@Controller()
export class HandToAuditor {
  readonly #cases: Cases;
  readonly #trail: AuditTrail;
  readonly #database: Database;

  constructor(cases: Cases, trail: AuditTrail, database: Database) {
    this.#cases = cases;
    this.#trail = trail;
    this.#database = database;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/audit-handovers', {
    summary: 'Name the tags and referrals under which an auditor finds this case\'s acts', creates: true, body: HandOver, answer: HandOverAnswer,
  })
  @Allow('case.hand-to-auditor')
  async handOver(@TheAct() act: Act<z.infer<typeof HandOver>>): Promise<z.infer<typeof HandOverAnswer>> {
    const { caseId } = await this.#cases.commit(act, act.id('caseId'), (state, { reasonCode }) => handToAuditor(state, reasonCode));
    const about = {
      name: 'audit-tags', values: [caseId],
      text: 'SELECT consent_ref AS id FROM consent WHERE case_id = $1 UNION ALL SELECT transfer_id FROM transfer_board WHERE case_id = $1 LIMIT 500',
    };
    return await inTransaction(this.#database.app, [about, linksOfCase(caseId)], (_tx, [others, links]) => ({
      caseId,
      // Consents and transfers have tags of their own: only their owner can say that they belong to this case.
      tags: [caseId, ...others!.map((row) => row.id as string)].map((id) => this.#trail.tagOf(id)),
      referrals: links!.map((row) => row.referral_id as string),
    }));
  }
}

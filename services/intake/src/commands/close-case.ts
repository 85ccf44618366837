import { Controller } from '@nestjs/common';
import { Id } from '@amana/contracts';
import { AuditTrail, type Act, Allow, Command, TheAct } from '@amana/service';
import { Database, inTransaction } from '@amana/persistence';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { closeCase, handToAuditor } from '../domain/case.ts';
import { linksOfCase, openReferralsOf } from '../referral-links.ts';

const Closure = z.strictObject({ reasonCode: z.enum(['goals-reached', 'moved', 'lost-contact', 'declines-further-services', 'duplicate', 'death', 'other']) }).meta({ id: 'CaseClosure' });
const HandOver = z.strictObject({ reasonCode: z.enum(['yearly-review', 'complaint', 'incident', 'funder-audit', 'other']).default('yearly-review') }).meta({ id: 'AuditHandOver' });
const HandOverAnswer = z.object({ caseId: Id, tags: z.array(z.string()), referrals: z.array(Id) }).meta({ id: 'AuditHandOverAnswer' });

/** The end of a case, and its hand-over to an auditor: who then finds its acts, though not the person. */
@Controller()
export class CloseCase {
  readonly #cases: Cases;
  readonly #trail: AuditTrail;
  readonly #database: Database;

  constructor(cases: Cases, trail: AuditTrail, database: Database) {
    this.#cases = cases;
    this.#trail = trail;
    this.#database = database;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/closure', { summary: 'Close a case, with the reason', body: Closure, answer: CaseAnswer, refusals: ['case-closed', 'illegal-transition', 'open-referrals'] })
  @Allow('case.close')
  close(@TheAct() act: Act<z.infer<typeof Closure>>): Promise<CaseAnswer> {
    return this.#cases.commit(act, act.id('caseId'), async (state, { reasonCode }, { tx, id }) => closeCase(state, reasonCode, (await openReferralsOf(tx, id)).length));
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

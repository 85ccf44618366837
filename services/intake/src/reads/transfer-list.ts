import { Controller } from '@nestjs/common';
import { Id, Instant, Refusal } from '@amana/contracts';
import type { Row } from '@amana/persistence';
import { type Act, Allow, etagOf, Looks, Read, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';
import { PageQuery, pageOf, startOf } from '../cursor.ts';
import { Transfers, TransferStatus } from '../transfers.ts';

const TransferView = z.object({
  transferId: Id, fromOrg: Id, toOrg: Id, status: TransferStatus, version: z.int().optional(), expiresAt: Instant,
  caseId: Id.optional().describe('Your own case: the one you offered, or the one opened for you when you accepted'), links: z.object({ file: z.string() }),
}).meta({ id: 'TransferView' });
const TransferList = z.object({ items: z.array(TransferView), next: z.string().optional() }).meta({ id: 'TransferList' });

/** Transfers as the old owner keeps them for both sides, and the receiver's own list. */
@Controller()
export class TransferListRead {
  readonly #looks: Looks;
  readonly #transfers: Transfers;

  constructor(looks: Looks, transfers: Transfers) {
    this.#looks = looks;
    this.#transfers = transfers;
  }

  @Read('GET /v1/intake/:organisationId/transfers', { summary: 'Transfers that this organisation offered: all of them to itself, to others those offered to them', query: PageQuery, answer: TransferList })
  @Allow('transfer.list')
  list(@TheAct() act: Act<unknown, PageQuery>) {
    const { limit, after } = act.query;
    return this.#looks.show(act, [{
      name: 'transfer-list', values: [act.id('organisationId'), act.organisationId, ...startOf(after), limit + 1],
      text: `SELECT * FROM transfer_board WHERE from_org = $1 AND (from_org = $2 OR to_org = $2)
        AND ($3::timestamptz IS NULL OR (changed_at, transfer_id) < ($3, $4::uuid)) ORDER BY changed_at DESC, transfer_id DESC LIMIT $5`,
    }], ([rows]) => listed(act, rows!, limit, (row) => row.from_org === act.organisationId));
  }

  @Read('GET /v1/intake/:organisationId/incoming-transfers', { summary: 'Cases offered to your organisation, and the case that waits for the file of each you accepted', query: PageQuery, answer: TransferList })
  @Allow('transfer.list')
  async incoming(@TheAct() act: Act<unknown, PageQuery>) {
    const { organisationId } = act;
    // The list is the organisation's own: the policy's `network` stands for no item of somebody else.
    await this.#looks.require(act, act.params.organisationId === organisationId ? ['network'] : [], { type: 'transfer-list', aggregateId: organisationId });
    const { limit, after } = act.query;
    return await this.#looks.show(act, [{
      name: 'transfer-incoming', values: [organisationId, ...startOf(after), limit + 1],
      text: `SELECT * FROM incoming_transfer WHERE to_org = $1
        AND ($2::timestamptz IS NULL OR (changed_at, transfer_id) < ($2, $3::uuid)) ORDER BY changed_at DESC, transfer_id DESC LIMIT $4`,
    }], ([rows]) => listed(act, rows!, limit, () => true));
  }

  @Read('GET /v1/intake/:organisationId/transfers/:transferId', { summary: 'One transfer, with the ETag that an answer needs', answer: TransferView })
  @Allow('transfer.read')
  async one(@TheAct() act: Act) {
    const transferId = act.id('transferId');
    const { state, version } = await this.#transfers.read(transferId);
    const relations = state.status === 'none' ? [] : this.#transfers.aggregate.relations(state, act.organisationId, act.params);
    const subject: Subject = { type: 'transfer', aggregateId: transferId, publicId: transferId, version };
    await this.#looks.require(act, relations, subject);
    return await this.#looks.show(act, [{ name: 'transfer-one', values: [transferId], text: 'SELECT * FROM transfer_board WHERE transfer_id = $1' }], ([rows]) => {
      const row = rows![0];
      if (!row) throw new Refusal('not-found');
      act.header('etag', etagOf(row.version as number));
      return { answer: toView(row, row.from_org === act.organisationId), subjects: [{ ...subject, version: row.version as number }] };
    });
  }
}

function listed(act: Act<unknown, PageQuery>, rows: readonly Row[], limit: number, ownsCase: (row: Row) => boolean) {
  const page = pageOf(rows, limit, 'transfer_id');
  return {
    answer: { items: page.rows.map((row) => toView(row, ownsCase(row))), ...(page.next ? { next: page.next } : {}) },
    subjects: page.rows.map((row): Subject => ({ type: 'transfer', aggregateId: row.transfer_id as string, publicId: row.transfer_id as string, recipientOrg: row.to_org as string })),
  };
}

/** The old owner's case id is its own: the receiver never sees it. */
function toView(row: Row, ownsCase: boolean) {
  const transferId = row.transfer_id as string;
  return {
    transferId, fromOrg: row.from_org as string, toOrg: row.to_org as string, status: row.status as TransferStatus, ...(row.version === undefined ? {} : { version: row.version as number }),
    expiresAt: (row.expires_at as Date).toISOString(), ...(ownsCase && row.case_id ? { caseId: row.case_id as string } : {}),
    links: { file: `/v1/intake/${String(row.from_org)}/disclosures/${transferId}` },
  };
}

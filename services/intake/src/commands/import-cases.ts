import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { Id, type Refusal } from '@amana/contracts';
import type { Transaction } from '@amana/persistence';
import { type Act, Allow, Command, Keys, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { importCase } from '../domain/case.ts';
import { background, fieldsOf, PersonFromFile } from '../domain/person.ts';
import { type ImportedRows, Imports } from '../imports.ts';
import { SealedFields } from '../sealed-fields.ts';

const Key = z.string().min(1).max(200);
const ImportRow = z.strictObject({ source: Key.describe('The system or file that the row comes from'), externalId: Key.describe('Its id there; not kept in clear'), person: PersonFromFile, ...background }).meta({ id: 'CaseImportRow' });
type ImportRow = z.infer<typeof ImportRow>;
export const CaseImport = z.strictObject({ rows: z.array(ImportRow).min(1).max(100) }).meta({ id: 'CaseImport' });
export type CaseImport = z.infer<typeof CaseImport>;

const Imported = z.object({ externalId: z.string(), caseId: Id });
export const CaseImportAnswer = z.object({
  created: z.array(Imported), refused: z.array(z.object({ externalId: z.string(), code: z.string() })), unchanged: z.array(Imported),
}).meta({ id: 'CaseImportAnswer' });

/** Cases from a file: drafts that nobody may share before somebody has spoken with her. */
@Controller()
export class ImportCases {
  readonly #imports: Imports;
  readonly #cases: Cases;
  readonly #fields: SealedFields;
  readonly #keys: Keys;

  constructor(imports: Imports, cases: Cases, fields: SealedFields, keys: Keys) {
    this.#imports = imports;
    this.#cases = cases;
    this.#fields = fields;
    this.#keys = keys;
  }

  @Command('POST /v1/intake/:organisationId/case-imports', {
    summary: 'Bring in cases as drafts; a row that was brought in before changes nothing, one that cannot be taken is named with its code', creates: true, body: CaseImport, answer: CaseImportAnswer,
  })
  @Allow('case.import')
  async importAll(@TheAct() act: Act<CaseImport>): Promise<z.infer<typeof CaseImportAnswer>> {
    const done = await this.#imports.create(act, async (_state, { rows }, { now, tx }) => {
      // One import of an organisation at a time: two that share rows would wait for each other.
      await tx.query({ name: 'import-lock', values: [act.organisationId], text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 1))' });
      const result: ImportedRows = { organisationId: act.organisationId, created: [], refused: [], unchanged: [] };
      for (const [row, imported] of rows.entries()) {
        const outcome = await this.#importRow(tx, act, { imported, now });
        if ('code' in outcome) result.refused.push({ row, code: outcome.code });
        else result[outcome.isNew ? 'created' : 'unchanged'].push({ row, caseId: outcome.caseId });
      }
      return [{ type: 'intake.cases-imported.v1', data: result }];
    });
    const { rows } = act.body;
    const named = <T>(list: readonly ({ row: number } & T)[]) => list.map(({ row, ...entry }) => ({ externalId: rows[row]!.externalId, ...entry }));
    return { created: named(done.created), refused: named(done.refused), unchanged: named(done.unchanged) };
  }

  async #importRow(tx: Transaction, act: Act<CaseImport>, { imported, now }: { imported: ImportRow; now: Date }): Promise<{ caseId: string; isNew: boolean } | Refusal> {
    const { person } = imported;
    const allowed = importCase({ status: 'none' }, act.organisationId, person, now);
    if ('code' in allowed) return allowed;
    const caseId = randomUUID();
    const mac = this.#keys.provider.hmacSync('import-key', JSON.stringify([act.organisationId, imported.source, imported.externalId]));
    const [known] = await tx.query<{ case_id: string }>({ name: 'import-key-find', values: [act.organisationId, mac], text: 'SELECT case_id FROM import_key WHERE organisation_id = $1 AND mac = $2' });
    if (known) return { caseId: known.case_id, isNew: false };
    tx.write({ name: 'import-key-add', values: [act.organisationId, mac, caseId], text: 'INSERT INTO import_key (organisation_id, mac, case_id) VALUES ($1, $2, $3)' });
    const refused = await this.#cases.apply(tx, caseId, { action: 'case.import', actor: act }, async (state) => [
      ...allowed, ...await this.#fields.keep(tx, caseId, { state, values: fieldsOf(person, imported) }),
    ]);
    return refused ?? { caseId, isNew: true };
  }
}

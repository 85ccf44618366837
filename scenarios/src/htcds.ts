import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';

const FILE_LIMIT_BYTES = 5_242_880;
const LINES_MAX = 1_000;
const FAULTS_SHOWN_MAX = 20;
/** How several codes stand in one cell, as the standard's own exports write them. */
const BETWEEN_CODES = ';';
const codesPath = join(import.meta.dirname, '..', 'data', 'htcds-codes.json');

type Kind = 'text' | 'date' | 'number' | 'flag' | 'code' | 'codes';

interface FieldRule {
  readonly name: string;
  readonly kind: Kind;
  /** The standard's core fields: their columns must be there, their cells may be empty. */
  readonly core?: boolean;
  readonly codes?: readonly string[];
  readonly pattern?: string;
}

/**
 * One case line under the field names of HTCDS 2.0. An empty cell is absent: not asked and not answered look
 * the same there, so nothing may be concluded from it. All 83 fields are read; those below are the ones in use here.
 */
export interface HtcdsCase {
  /** Its place in the file, the header being 1; a cell that spans lines counts as one. */
  readonly line: number;
  readonly prs_FirstName?: string;
  readonly prs_MiddleName?: string;
  readonly prs_SecondName?: string;
  /** `YYYY-MM-DD`. */
  readonly prs_Birthdate?: string;
  readonly prs_Gender?: string;
  readonly prs_NumberOfChildren?: number;
  readonly prs_PrimaryLanguage?: string;
  readonly prs_SecondaryLanguage?: string;
  readonly prs_Citizenship?: readonly string[];
  readonly prs_IdentityNumber?: string;
  readonly prs_Email?: string;
  readonly prs_MobilePhone?: string;
  readonly prs_MailingStreet?: string;
  readonly prs_MailingCity?: string;
  readonly prs_MailingState?: string;
  readonly prs_MailingCountry?: string;
  readonly vic_AgreementToManagePersonalData?: boolean;
  readonly vic_TraffickingStatus?: string;
  readonly vic_TraffickingStatusDecisionMakingOrg?: string;
  readonly vic_RelationshipToTrafficker?: string;
  readonly vic_MethodOfRecruitment?: readonly string[];
  readonly vic_MethodsOfControl?: readonly string[];
  readonly vic_TypeOfExploitation?: readonly string[];
  readonly vic_ForcedLabourIndustry?: string;
  readonly vic_Vulnerabilities?: readonly string[];
  readonly cas_Status?: string;
  readonly cco_CaseComment?: string;
  readonly con_Consent?: boolean;
  readonly [field: string]: string | number | boolean | readonly string[] | undefined;
}

/** A file of cases that cannot be taken. It names line, field and fault, never what stands in the cell. */
export class UnusableCaseFile extends Error {
  readonly faults: readonly { readonly line: number; readonly field: string; readonly reason: string }[];

  constructor(path: string, faults: readonly { line: number; field: string; reason: string }[]) {
    const shown = faults.slice(0, FAULTS_SHOWN_MAX).map(({ line, field, reason }) => `  line ${line}${field && `, ${field}`}: ${reason}`);
    super([`${path} cannot be used:`, ...shown, ...(faults.length > shown.length ? [`  and ${faults.length - shown.length} more`] : [])].join('\n'));
    this.name = 'UnusableCaseFile';
    this.faults = faults;
  }
}

/**
 * Reads the cases of an HTCDS 2.0 CSV file (UTF-8, comma, a header of field names). At most 1,000 lines and 5 MB.
 * Throws UnusableCaseFile on an unknown, missing or repeated column, or a cell that is no date, number, flag or code.
 */
export async function readHtcdsCases(path: string): Promise<HtcdsCase[]> {
  const [bytes, rules] = await Promise.all([readFile(path), readRules()]);
  if (bytes.length > FILE_LIMIT_BYTES) throw new UnusableCaseFile(path, [{ line: 1, field: '', reason: 'the file is over 5 MB' }]);
  const [header = [], ...lines] = rowsOf(path, bytes);
  const faults = faultsOfHeader(header, rules);
  if (lines.length > LINES_MAX) faults.push({ line: LINES_MAX + 2, field: '', reason: `at most ${LINES_MAX} cases` });
  if (faults.length > 0) throw new UnusableCaseFile(path, faults);
  const cases = lines.map((cells, index): HtcdsCase => {
    const line = index + 2;
    const values: Record<string, HtcdsCase[string]> = {};
    header.forEach((name, column) => {
      const cell = cells[column]!.trim();
      if (cell === '') return;
      const value = valueOf(cell, rules.get(name)!);
      if (value === undefined) faults.push({ line, field: name, reason: expected(rules.get(name)!) });
      else values[name] = value;
    });
    return { ...values, line };
  });
  if (faults.length > 0) throw new UnusableCaseFile(path, faults);
  return cases;
}

async function readRules(): Promise<ReadonlyMap<string, FieldRule>> {
  const { fields } = JSON.parse(await readFile(codesPath, 'utf8')) as { fields: FieldRule[] };
  return new Map(fields.map((field) => [field.name, field]));
}

function rowsOf(path: string, bytes: Buffer): string[][] {
  try {
    return parse(bytes, { bom: true, skip_empty_lines: true, relax_column_count: false, max_record_size: 100_000 });
  } catch (error) {
    // The parser's message can quote the line; only where it stopped is told on.
    const { lines, code } = error as { lines?: number; code?: string };
    throw new UnusableCaseFile(path, [{ line: lines ?? 1, field: '', reason: `is not CSV (${code ?? 'unreadable'})` }]);
  }
}

function faultsOfHeader(header: readonly string[], rules: ReadonlyMap<string, FieldRule>): { line: number; field: string; reason: string }[] {
  const unknown = header.filter((name) => !rules.has(name)).map((name) => ({ line: 1, field: name.slice(0, 60), reason: 'is no field of HTCDS 2.0' }));
  const repeated = header.filter((name, index) => header.indexOf(name) !== index).map((field) => ({ line: 1, field, reason: 'stands twice' }));
  const missing = [...rules.values()].filter(({ core, name }) => core && !header.includes(name)).map(({ name }) => ({ line: 1, field: name, reason: 'a core field has no column' }));
  return [...unknown, ...repeated, ...missing];
}

function valueOf(cell: string, rule: FieldRule): HtcdsCase[string] {
  const fits = (value: string): boolean => (rule.codes ? rule.codes.includes(value) : rule.pattern ? new RegExp(rule.pattern).test(value) : true);
  switch (rule.kind) {
    case 'text': return fits(cell) ? cell : undefined;
    case 'code': return fits(cell) ? cell : undefined;
    case 'codes': {
      const codes = cell.split(BETWEEN_CODES).map((code) => code.trim());
      return codes.every(fits) && new Set(codes).size === codes.length ? codes : undefined;
    }
    case 'date': return isDay(cell) ? cell : undefined;
    case 'number': return /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : undefined;
    case 'flag': return cell === 'true' ? true : cell === 'false' ? false : undefined;
  }
}

function isDay(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  // 2022-02-30 parses as a day in March: it must come back as it was written.
  return date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function expected(rule: FieldRule): string {
  switch (rule.kind) {
    case 'text': return 'must be a code of the list the standard names';
    case 'code': return 'must be one of its codes';
    case 'codes': return `must be its codes, each once, separated by ${BETWEEN_CODES}`;
    case 'date': return 'must be a day as YYYY-MM-DD';
    case 'number': return 'must be a number';
    case 'flag': return 'must be true or false';
  }
}

import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHtcdsCases, type UnusableCaseFile } from './htcds.ts';

const caseFile = join(import.meta.dirname, '..', 'data', 'alice', 'case.htcds.csv');
const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** What the reader says to the case file after a change of its text. */
async function faultsAfter(change: (text: string) => string): Promise<UnusableCaseFile> {
  const folder = await mkdtemp(join(tmpdir(), 'amana-htcds-'));
  folders.push(folder);
  const path = join(folder, 'case.csv');
  await writeFile(path, change(await readFile(caseFile, 'utf8')));
  return readHtcdsCases(path).then(() => { throw new Error('was taken'); }, (error: UnusableCaseFile) => error);
}

describe('readHtcdsCases', () => {
  it('refuses a column that the standard does not know, one that stands twice, and a core column that is missing', async () => {
    expect((await faultsAfter((text) => text.replace('prs_FirstName', 'prs_Nickname'))).faults).toEqual([
      { line: 1, field: 'prs_Nickname', reason: 'is no field of HTCDS 2.0' }, { line: 1, field: 'prs_FirstName', reason: 'a core field has no column' },
    ]);
    expect((await faultsAfter((text) => text.replace('prs_MiddleName', 'prs_FirstName'))).faults).toEqual([{ line: 1, field: 'prs_FirstName', reason: 'stands twice' }]);
  });

  it('refuses a code outside its list, one of several, and a code that stands twice', async () => {
    for (const [field, from, to] of [
      ['prs_Gender', 'Feminine', 'F'], ['vic_MethodsOfControl', 'FalsePromises;TakesEarnings', 'FalsePromises;Magic'],
      ['vic_MethodsOfControl', 'FalsePromises;TakesEarnings', 'FalsePromises;FalsePromises'], ['prs_Citizenship', 'CIV', 'Ivory'],
    ] as const) {
      expect((await faultsAfter((text) => text.replace(from, to))).faults).toEqual([{ line: 2, field, reason: expect.stringContaining('code') }]);
    }
  });

  it('refuses what is no day, no number and no flag', async () => {
    expect((await faultsAfter((text) => text.replace('2000-03-17', '2000-02-30'))).faults).toMatchObject([{ field: 'prs_Birthdate' }]);
    expect((await faultsAfter((text) => text.replace('2000-03-17', '17/03/2000'))).faults).toMatchObject([{ field: 'prs_Birthdate' }]);
    expect((await faultsAfter((text) => text.replace('Feminine,0,', 'Feminine,none,'))).faults).toMatchObject([{ field: 'prs_NumberOfChildren' }]);
    expect((await faultsAfter((text) => text.replace(',true,', ',yes,'))).faults).toMatchObject([{ field: 'vic_AgreementToManagePersonalData' }]);
  });

  it('refuses a line with a cell too many, and never quotes what stands in a cell', async () => {
    const error = await faultsAfter((text) => `${text.trimEnd()},Secretname\n`);
    expect(error.faults).toEqual([{ line: 2, field: '', reason: expect.stringContaining('is not CSV') }]);
    expect(error.message).not.toContain('Secretname');
    expect((await faultsAfter((text) => text.replace('2000-03-17', 'Secretname'))).message).not.toContain('Secretname');
  });

  it('gives the case under the names of the standard, with an empty cell as absent', async () => {
    const [only, ...others] = await readHtcdsCases(caseFile);
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      line: 2, prs_Gender: 'Feminine', prs_Birthdate: '2000-03-17', prs_NumberOfChildren: 0, prs_Citizenship: ['CIV'], prs_PrimaryLanguage: 'dyu',
      vic_AgreementToManagePersonalData: true, vic_TraffickingStatus: 'PossibleVictimOfTrafficking', vic_MethodsOfControl: ['FalsePromises', 'TakesEarnings'],
      vic_TypeOfExploitation: ['ForcedLabour'], vic_ForcedLabourIndustry: 'T_ActivitiesOfHouseholdsAsEmployers',
    });
    expect(only!.con_Consent).toBeUndefined();
    expect(only).not.toHaveProperty('prs_Salutation');
  });

  it('reads a file that begins with a byte order mark and quotes its cells', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'amana-htcds-'));
    folders.push(folder);
    const text = await readFile(caseFile, 'utf8');
    await writeFile(join(folder, 'quoted.csv'), `\uFEFF${text.replace('Akissiva', '"Akissiva, the ""first"""')}`);
    expect((await readHtcdsCases(join(folder, 'quoted.csv')))[0]!.prs_FirstName).toBe('Akissiva, the "first"');
  });
});

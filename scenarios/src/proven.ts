import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportLedger } from '@amana/local';
import { eventually } from '@amana/testing';
import type { Actor } from './network-client.ts';

const verifier = join(import.meta.dirname, '../../libs/ledger/kit/verify-ledger.mjs');

/**
 * What an auditor does on a machine of his own: exports the ledger into `dir`, verifies it, and then each entry of a
 * referral's history by its proof. Answers the verifier's words about the log and about each entry, `OTHER: ...` where the
 * proven bytes are not of the act that the history shows.
 */
export async function proveHistory(auditor: Actor, { dir, referralId }: { dir: string; referralId: string }): Promise<string[]> {
  const { key } = await exportLedger(dir, async (path) => (await auditor.get(path)).body);
  const verdict = (...call: string[]): string => spawnSync(process.execPath, [verifier, ...call, key], { encoding: 'utf8' }).stdout.trim();
  const verdicts = [verdict('log', dir)];
  const history = (await auditor.get<{ entries: { entryId: string; action: string }[] }>(`/v1/audit/referrals/${referralId}`)).body.entries;
  for (const { entryId, action } of history) {
    const proof = await eventually(() => auditor.get(`/v1/audit/entries/${entryId}/proof`).then(({ body }) => body, () => undefined), { what: 'a place in the ledger' });
    writeFileSync(join(dir, 'proof.json'), JSON.stringify(proof));
    const said = verdict('entry', join(dir, 'proof.json'));
    verdicts.push(said.includes(`\\"action\\":\\"${action}\\"`) ? said : `OTHER: ${said}`);
  }
  return verdicts;
}

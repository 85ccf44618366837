import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedEvents } from './catalogue.ts';
import { breaksBetween, promisesOf, type PublishedLock, schemaOf } from './compatibility.ts';
import type { EventDefinition } from './event.ts';
import { nameOffences, privacyOffences } from './event-rules.ts';
import { sampleOf } from './sample.ts';

/** The package's own folder, from `src` as from `dist`. */
export const contractsDir = join(import.meta.dirname, '..');

/** A published event would break its readers, or break a rule. Its message names each case. */
export class ContractRefused extends Error {
  override readonly name = 'ContractRefused';
}

/**
 * Writes what is committed beside the code: `schemas/<type>.json` for each published event, a golden sample where there is
 * none yet, and `published.lock.json`. Samples are never written again: what was valid once must stay valid. Writes nothing
 * and throws ContractRefused if a published type would break. Answers the files that changed.
 */
export function writeContracts(dir: string, definitions: Iterable<EventDefinition> = publishedEvents.values()): string[] {
  const all = [...definitions];
  const now = promisesOf(all);
  const wrong = [...breaksBetween(readLock(dir), now), ...nameOffences(now), ...privacyOffences(now)];
  if (wrong.length > 0) throw new ContractRefused(`Nothing is written: a published version never changes (publish .v2 beside it), and no event tells of a person.\n${wrong.map((line) => `  ${line}`).join('\n')}`);
  for (const folder of ['schemas', 'samples']) mkdirSync(join(dir, folder), { recursive: true });
  const changed: string[] = [];
  for (const definition of all) {
    const schema = schemaOf(definition);
    keep(dir, join('schemas', `${definition.type}.json`), schema, changed);
    const sample = join('samples', `${definition.type}.json`);
    if (!existsSync(join(dir, sample))) keep(dir, sample, definition.data.parse(sampleOf(schema)), changed);
  }
  keep(dir, 'published.lock.json', now, changed);
  return changed;
}

/** What has been published so far; nothing where there is no lock yet. */
export function readLock(dir: string): PublishedLock {
  const path = join(dir, 'published.lock.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as PublishedLock : {};
}

/** Every committed sample: `<type>.json`, and `<type>.<n>.json` where fields came later. */
export function readSamples(dir: string): { file: string; type: string; data: unknown }[] {
  return readdirSync(join(dir, 'samples')).sort().map((file) => ({
    file, type: file.replace(/(?:\.\d+)?\.json$/, ''), data: JSON.parse(readFileSync(join(dir, 'samples', file), 'utf8')) as unknown,
  }));
}

function keep(dir: string, file: string, value: unknown, changed: string[]): void {
  const path = join(dir, file);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
  changed.push(file);
}

/** `npm run contracts`. */
function main(): void {
  try {
    const changed = writeContracts(contractsDir);
    process.stdout.write(changed.length === 0 ? 'Contracts are up to date.\n' : `Written: ${changed.join(', ')}\n`);
  } catch (error) {
    if (!(error instanceof ContractRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) main();

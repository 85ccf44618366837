import type { RunResult } from './campaign.ts';
import { type CheckName, checkNames } from './checker/checker.ts';

const shownMax = 8;
const title: Readonly<Record<CheckName, string>> = {
  lost: 'lost', undelivered: 'undelivered', phantom: 'phantom', twice: 'twice', order: 'disorder', beds: 'beds twice', unreachable: 'unreachable', 'dead-letters': 'wrong deaths', 'not-recovered': 'not recovered',
};

/** The table's head: one column per promise, so that a row of zeros is a good run. */
export function headOf(): string {
  return row(['run', 'seed', 'faults', 'acked', 'refused', 'retried', '500s', 'ended', 'recovered', ...checkNames.map((name) => title[name])]);
}

export function rowOf(result: RunResult): string {
  const recovered = result.recoveredMs === undefined ? 'no' : `${(result.recoveredMs / 1000).toFixed(1)} s`;
  return row([result.run, result.seed, result.faults, result.acknowledged, result.refused, result.retried, result.serverErrors, result.unexpectedEnds, recovered, ...checkNames.map((name) => countOf(result, name))]);
}

export function totalsOf(results: readonly RunResult[]): string {
  const sum = (field: 'faults' | 'acknowledged' | 'refused' | 'retried' | 'serverErrors' | 'unexpectedEnds'): number => results.reduce((total, result) => total + result[field], 0);
  const slowest = results.reduce((most, result) => Math.max(most, result.recoveredMs ?? Number.POSITIVE_INFINITY), 0);
  const recovered = Number.isFinite(slowest) ? `${(slowest / 1000).toFixed(1)} s` : 'no';
  return row(['all', '', sum('faults'), sum('acknowledged'), sum('refused'), sum('retried'), sum('serverErrors'), sum('unexpectedEnds'), recovered, ...checkNames.map((name) => results.reduce((total, result) => total + countOf(result, name), 0))]);
}

/** How much the last judgement looked at: zeros say nothing where nothing was looked at. */
export function checkedOf({ checked }: RunResult): string {
  return `checked: ${Object.entries(checked).map(([what, count]) => `${count} ${what}`).join(', ')}`;
}

/** The first violations of each kind, in words. */
export function detailsOf(result: RunResult): string[] {
  return checkNames.flatMap((name) => {
    const found = result.violations.filter((violation) => violation.check === name);
    const shown = found.slice(0, shownMax).map((violation) => `  ${title[name]}: ${violation.what}`);
    return found.length > shownMax ? [...shown, `  ${title[name]}: and ${found.length - shownMax} more`] : shown;
  });
}

function countOf(result: RunResult, name: CheckName): number {
  return result.violations.filter((violation) => violation.check === name).length;
}

const widths = [4, 11, 7, 6, 8, 8, 5, 6, 10];

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, at) => String(cell).padStart(widths[at] ?? 14)).join('');
}

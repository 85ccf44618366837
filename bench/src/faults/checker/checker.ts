import { findDoubleBeds } from './beds.ts';
import { findWrongDeaths } from './dead-letters.ts';
import { findUndelivered } from './delivery.ts';
import type { Dump } from './dump.ts';
import { type Check, type CheckName, Evidence, type Violation } from './evidence.ts';
import { findLost } from './lost.ts';
import { findDisorder } from './order.ts';
import { findUnreachable } from './reachable.ts';
import { findDoubled } from './twice.ts';

export type { CheckName, Violation } from './evidence.ts';

const checks: readonly Check[] = [findLost, findUndelivered, findDoubled, findDisorder, findDoubleBeds, findUnreachable, findWrongDeaths];

export const checkNames: readonly CheckName[] = ['lost', 'undelivered', 'phantom', 'twice', 'order', 'beds', 'unreachable', 'dead-letters', 'not-recovered'];

/** Of one fault there may be thousands of traces; so many are told. */
const toldMax = 500;

/** Judges a dump by the promises alone. It shares no code with the services or their libraries: it reads what they left. */
export function judge(dump: Dump): Violation[] {
  const evidence = new Evidence(dump);
  return checks.flatMap((check) => [...check(evidence)].slice(0, toldMax));
}

/** How much was looked at: a run that checked nothing has shown nothing. */
export function sizeOf(dump: Dump): { commands: number; events: number; messages: number; effects: number; holds: number } {
  const databases = Object.values(dump.databases);
  return {
    commands: dump.journal.filter((entry) => entry.kind === 'command' && entry.outcome === 'acknowledged').length,
    events: databases.reduce((sum, database) => sum + database.events.length, 0),
    messages: dump.messages?.length ?? 0,
    effects: databases.reduce((sum, database) => sum + database.inbox.length, 0),
    holds: dump.holds.length,
  };
}

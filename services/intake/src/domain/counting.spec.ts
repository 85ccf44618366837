import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { caseDecider, type Case, screen } from './case.ts';
import type { CaseEvent } from './case-events.ts';
import { endOfMonth, monthOf, noteOutcome, pairsOf } from './counting.ts';
import type { ScreeningBody } from './person.ts';

const now = new Date('2023-03-01T10:00:00.000Z');
const organisationId = '4dad89d7-869e-466d-b732-3e60761de948';
const opened: CaseEvent = { type: 'intake.case-opened.v1', data: { organisationId, at: now.toISOString(), channel: 'walk_in' } };
const screening = (outcome: ScreeningBody['outcome'], reportingConsent: boolean): ScreeningBody => ({ outcome, indicatorCodes: [], reportingConsent });
const screenedAs = (...asked: Parameters<typeof screening>) => given<Case, CaseEvent>(caseDecider, [opened]).when((state) => screen(state, screening(...asked), now));
const note = (state: Case, indicator: 'sheltered' | 'consulted') => noteOutcome(state as Exclude<Case, { status: 'none' }>, indicator, now);

describe('counting a person', () => {
  it('counts nobody who is not presumed to be a victim, or who did not agree to be counted', () => {
    screenedAs('not_presumed', true).yields('intake.screened.v1');
    screenedAs('declined_assessment', true).yields('intake.screened.v1');
    const refused = screenedAs('presumed', false).yields('intake.screened.v1');
    given<Case, CaseEvent>(caseDecider, [opened, ...refused]).when((state) => note(state, 'sheltered')).yields('intake.outcome-seen.v1');
  });

  it('counts her once for each indicator, however often it happens', () => {
    const identified = screenedAs('presumed', true).yields('intake.screened.v1', 'intake.count-noted.v1');
    const sheltered = given<Case, CaseEvent>(caseDecider, [opened, ...identified]).when((state) => note(state, 'sheltered')).yields('intake.outcome-seen.v1', 'intake.count-noted.v1');
    given<Case, CaseEvent>(caseDecider, [opened, ...identified, ...sheltered]).when((state) => note(state, 'sheltered')).yields();
    given<Case, CaseEvent>(caseDecider, [opened, ...identified, ...sheltered]).when((state) => screen(state, screening('presumed', true), now)).yields('intake.screened.v1');
  });

  it('counts what happened before she agreed from the moment she agrees', () => {
    const past = [opened, ...screenedAs('presumed', false).yields('intake.screened.v1'), { type: 'intake.outcome-seen.v1', data: { indicator: 'sheltered' } } as CaseEvent];
    const counted = given<Case, CaseEvent>(caseDecider, past).when((state) => screen(state, screening('presumed', true), now)).yields('intake.screened.v1', 'intake.count-noted.v1', 'intake.count-noted.v1');
    expect(counted.slice(1).map((event) => event.data)).toEqual([{ indicator: 'identified', month: '2023-03' }, { indicator: 'sheltered', month: '2023-03' }]);
  });

  it('does not count again what the organisation before has counted', () => {
    const past: CaseEvent[] = [{ type: 'intake.case-transferred-in.v1', data: { organisationId, transferId: organisationId } }, { type: 'intake.case-file-received.v1', data: { alreadyCounted: ['identified'] } }];
    const screened = given<Case, CaseEvent>(caseDecider, past).when((state) => screen(state, screening('not_presumed', true), now)).yields('intake.screened.v1');
    given<Case, CaseEvent>(caseDecider, [...past, ...screened]).when((state) => note(state, 'consulted')).yields('intake.outcome-seen.v1', 'intake.count-noted.v1');
  });
});

describe('facts', () => {
  it('never cross more than two dimensions', () => {
    expect(pairsOf({ sex: 'female', ageBand: '18-24', region: 'MA-09' })).toEqual([{ sex: 'female', ageBand: '18-24' }, { sex: 'female', region: 'MA-09' }, { ageBand: '18-24', region: 'MA-09' }]);
  });

  it('belong to the month of the network\'s own zone and leave at its end, in Ramadan too', () => {
    expect(monthOf(new Date('2022-11-30T22:59:59.999Z'))).toBe('2022-11');
    expect(monthOf(new Date('2022-11-30T23:00:00.000Z'))).toBe('2022-12');
    expect(endOfMonth('2023-12').toISOString()).toBe('2023-12-31T23:00:00.000Z');
    // Morocco keeps UTC in Ramadan: from 19 March to 23 April in 2023.
    expect(endOfMonth('2023-03').toISOString()).toBe('2023-04-01T00:00:00.000Z');
    for (const month of ['2022-10', '2023-02', '2023-03', '2023-04', '2024-03']) {
      const end = endOfMonth(month);
      expect([monthOf(new Date(end.getTime() - 1)), monthOf(end) > month]).toEqual([month, true]);
    }
  });
});

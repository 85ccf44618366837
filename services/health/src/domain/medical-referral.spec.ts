import { describe, expect, it } from '@jest/globals';
import { replay } from '@amana/decider';
import { given } from '@amana/testing';
import { ask, type Asked, book, complete, end, medicalDecider, type MedicalEvent, open, openCase, recordAttendance } from './medical-referral.ts';

const ids = Array.from({ length: 9 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
const [referralId, organisationId, fromOrg, serviceId, consentRef, first, second, consultationId, otherClinic] = ids as [string, string, string, string, string, string, string, string, string];
const instant = '2022-11-15T10:00:00.000Z';
const request: Asked = { referralId, organisationId, fromOrg, serviceId, consentRef, urgency: 'urgent', ackBy: instant, decideBy: instant, serveBy: instant, submittedAt: instant };
const slot = (appointmentId: string) => ({ appointmentId, startsAt: '2022-11-17T08:30:00.000Z', accompaniment: true });

function past(...decisions: ((state: ReturnType<typeof medicalDecider.evolve>) => ReturnType<typeof book>)[]): MedicalEvent[] {
  const events: MedicalEvent[] = [...given(medicalDecider).when((state) => ask(state, request)).yields('health.referral-asked.v1')];
  for (const decide of decisions) {
    const more = decide(replay(medicalDecider, events));
    if (more instanceof Error) throw more;
    events.push(...more);
  }
  return events;
}

const opened = (state: ReturnType<typeof medicalDecider.evolve>) => open(state, { toOrg: organisationId, serveBy: instant });
const booked = (state: ReturnType<typeof medicalDecider.evolve>) => book(state, slot(first));
const missed = (state: ReturnType<typeof medicalDecider.evolve>) => recordAttendance(state, first, false);
const came = (state: ReturnType<typeof medicalDecider.evolve>) => recordAttendance(state, first, true);
const seen = (state: ReturnType<typeof medicalDecider.evolve>) => complete(state, { consultationId, outcome: 'delivered' });

describe('a medical referral', () => {
  it('is no case before the yes has arrived: the clinic is told to come back', () => {
    for (const decide of [booked, came, seen]) given(medicalDecider, past()).when(decide).refuses('acceptance-not-yet-seen');
    expect(openCase(given(medicalDecider, past()).state)).toMatchObject({ code: 'acceptance-not-yet-seen', retryAfterSeconds: 1 });
    for (const decide of [booked, came, seen]) given(medicalDecider).when(decide).refuses('not-found');
  });

  it('never becomes a case when it ended before the yes', () => {
    for (const reasonCode of ['declined', 'expired', 'withdrawn'] as const) given(medicalDecider, past((state) => end(state, reasonCode))).when(booked).refuses('gone');
    given(medicalDecider, past((state) => end(state, 'withdrawn'))).when(opened).yields();
  });

  it('is opened by the yes to this clinic, once', () => {
    given(medicalDecider, past()).when((state) => open(state, { toOrg: otherClinic, serveBy: instant })).yields();
    given(medicalDecider, past()).when(opened).yields('health.case-opened.v1');
    given(medicalDecider, past(opened)).when(opened).yields();
    given(medicalDecider, past()).when((state) => ask(state, request)).yields();
  });

  it('has one appointment at a time', () => {
    given(medicalDecider, past(opened, booked)).when((state) => book(state, slot(second))).refuses('illegal-transition');
  });

  it('is booked again after she did not come, with the next attempt, ten times at most', () => {
    const [again] = given(medicalDecider, past(opened, booked, missed)).when((state) => book(state, slot(second))).yields('health.appointment-booked.v1', 'health.appointment-noted.v1');
    expect(again!.data).toEqual({ appointmentId: second, referralId, organisationId, attempt: 2 });
    const appointments = Array.from({ length: 10 }, (_, n) => `00000000-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`);
    const tenMisses = past(opened, ...appointments.flatMap((id) => [(state: ReturnType<typeof medicalDecider.evolve>) => book(state, slot(id)), (state: ReturnType<typeof medicalDecider.evolve>) => recordAttendance(state, id, false)]));
    given(medicalDecider, tenMisses).when((state) => book(state, slot(second))).refuses('illegal-transition');
  });

  it('takes one word on attendance for an appointment that exists', () => {
    given(medicalDecider, past(opened, booked)).when((state) => recordAttendance(state, second, true)).refuses('not-found');
    given(medicalDecider, past(opened, booked, missed)).when(came).refuses('illegal-transition');
    given(medicalDecider, past(opened, booked)).when(came).yields('health.appointment-attended.v1');
    given(medicalDecider, past(opened, booked)).when(missed).yields('health.appointment-missed.v1');
  });

  it('is completed only for a person who came, once', () => {
    for (const decisions of [[opened], [opened, booked], [opened, booked, missed], [opened, booked, came, seen]]) given(medicalDecider, past(...decisions)).when(seen).refuses('illegal-transition');
  });

  it('tells attended and done; code and next step stay sealed', () => {
    const events = given(medicalDecider, past(opened, booked, came)).when(seen).yields('health.consultation-noted.v1', 'health.consultation-completed.v1');
    expect(events.map((event) => event.data)).toEqual([{ consultationId }, { referralId, organisationId, attended: true, outcome: 'delivered' }]);
  });

  it('ends with the referral, and then takes no further act', () => {
    const over = past(opened, booked, (state) => end(state, 'withdrawn'));
    for (const decide of [came, seen, (state: ReturnType<typeof medicalDecider.evolve>) => book(state, slot(second))]) given(medicalDecider, over).when(decide).refuses('illegal-transition');
  });

  it('is not undone by a referral that ends after the consultation', () => {
    given(medicalDecider, past(opened, booked, came, seen)).when((state) => end(state, 'cancelled')).yields();
  });
});

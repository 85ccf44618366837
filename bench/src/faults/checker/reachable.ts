import type { LoggedEvent } from './dump.ts';
import { type Evidence, textOf, type Violation } from './evidence.ts';

const statusOf: Readonly<Record<string, string>> = {
  drafted: 'draft', submitted: 'submitted', acknowledged: 'acknowledged', accepted: 'accepted', scheduled: 'scheduled', started: 'in-progress', completed: 'completed',
  'loop-closed': 'closed', declined: 'declined', expired: 'expired', cancelled: 'cancelled', withdrawn: 'withdrawn', failed: 'failed',
};
const waiting = new Set(['submitted', 'acknowledged']);
const underWay = new Set(['accepted', 'scheduled', 'in-progress']);
const live = new Set(['unconfirmed', 'confirmed', 'occupied']);
/** A withdrawal must be seen by what rests on the consent within the run. */
const rested = new Set([...waiting, ...underWay]);

interface KnownReferral {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly events: readonly LoggedEvent[];
  readonly recipients: readonly { readonly referralId: string; readonly consentRef: string; readonly serviceKind: string }[];
}

/** Nobody is lost on the way: each referral that still waits has a clock and a place where it is seen, each no has its next, each hold its referral. */
export function* findUnreachable(evidence: Evidence): Generator<Violation> {
  const referrals = referralsOf(evidence);
  const ended = new Set(evidence.log('intake').ofType('intake.consent-withdrawn.v1').map((event) => textOf(event, 'consentRef')));
  yield* boardAgrees(evidence, referrals);
  for (const referral of referrals.values()) {
    yield* waits(evidence, referral);
    yield* goesOn(referral, { referrals, ended });
  }
  yield* holdsAreAnswered(evidence, referrals);
}

function referralsOf(evidence: Evidence): Map<string, KnownReferral> {
  const found = new Map<string, KnownReferral>();
  for (const [id, events] of evidence.log('referral').streams) {
    const drafted = events.find((event) => event.type === 'referral.drafted.v1');
    if (!drafted) continue;
    const inOrder = events.toSorted((one, other) => one.version - other.version);
    const status = inOrder.map((event) => statusOf[event.type.split('.')[1]!]).findLast((known) => known !== undefined)!;
    found.set(id, { id, status, version: inOrder.at(-1)!.version, events: inOrder, recipients: drafted.data.recipients as KnownReferral['recipients'] });
  }
  return found;
}

function* boardAgrees(evidence: Evidence, referrals: ReadonlyMap<string, KnownReferral>): Generator<Violation> {
  const board = new Map(evidence.dump.board.map((row) => [row.referralId, row]));
  for (const { id, status, version } of referrals.values()) {
    const row = board.get(id);
    if (row?.status !== status || row.version !== version) yield { check: 'unreachable', what: `${id} is ${status} v${version}, the board says ${row ? `${row.status} v${row.version}` : 'nothing'}` };
  }
}

function* waits(evidence: Evidence, { id, status, recipients }: KnownReferral): Generator<Violation> {
  if (!waiting.has(status)) return;
  const due = evidence.log('referral').dump.due.some((row) => row.kind === 'referral.expiry' && row.key === id);
  if (!due) yield { check: 'unreachable', what: `${id} is ${status} and no clock runs for it` };
  const kind = recipients[0]!.serviceKind;
  const listed = kind === 'shelter' ? evidence.dump.shelterList.includes(id) : kind === 'health' ? evidence.log('health').has(id, 1) : true;
  if (!listed) yield { check: 'unreachable', what: `${id} is ${status} and its ${kind} service does not list it` };
}

function* goesOn({ id, status, recipients }: KnownReferral, known: { referrals: ReadonlyMap<string, KnownReferral>; ended: ReadonlySet<string> }): Generator<Violation> {
  const [mine, ...others] = recipients;
  if (rested.has(status) && known.ended.has(mine!.consentRef)) yield { check: 'unreachable', what: `${id} is ${status} although her consent has ended` };
  if (status !== 'declined' && status !== 'expired') return;
  const next = others.filter((recipient) => !known.ended.has(recipient.consentRef));
  if (next.length > 0 && !next.some((recipient) => known.referrals.has(recipient.referralId))) yield { check: 'unreachable', what: `${id} is ${status} and the next recipient was never asked` };
}

/** Each bed that was taken is answered by the referral, and each that is still kept is kept for somebody or for a time. */
function* holdsAreAnswered(evidence: Evidence, referrals: ReadonlyMap<string, KnownReferral>): Generator<Violation> {
  const shelter = evidence.log('shelter');
  const timed = new Set(shelter.dump.due.map((row) => row.key));
  const holds = new Map(evidence.dump.holds.map((row) => [row.holdId, row]));
  for (const held of shelter.ofType('shelter.bed-held.v1')) {
    const holdId = textOf(held, 'holdId');
    const referral = referrals.get(textOf(held, 'referralId'));
    if (!referral) continue;
    const answer = referral.events.find((event) => textOf(event, 'holdId') === holdId && /\.(accepted|acceptance-refused)\.v1$/.test(event.type));
    const state = holds.get(holdId)?.state ?? 'unknown';
    if (!answer) yield { check: 'unreachable', what: `hold ${holdId} (${state}) was never answered by ${referral.id} (${referral.status})` };
    else if (answer.type === 'referral.accepted.v1' && state === 'unconfirmed') yield { check: 'unreachable', what: `${referral.id} was accepted with hold ${holdId}, which was never confirmed` };
    else if (live.has(state) && !underWay.has(referral.status) && state !== 'occupied' && !timed.has(holdId)) yield { check: 'unreachable', what: `hold ${holdId} is ${state} for ${referral.id}, which is ${referral.status}, and nothing will end it` };
  }
}

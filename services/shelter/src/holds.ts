import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id, Instant } from '@amana/contracts';
import { cancelDue, scheduleDue, type SealedPlace, type Statement, type StoredEvent, type Transaction } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine, type Subject } from '@amana/service';
import { z } from 'zod';
import { type Hold, holdDecider, type HoldEvent, holdEvents, type KnownHold, type Placed, privateHoldEvents } from './domain/hold.ts';
import { recountKind } from './sites.ts';

export const HoldState = z.enum(['unconfirmed', 'confirmed', 'occupied', 'ended', 'released', 'expired', 'lost']).describe('unconfirmed until the referral has been accepted with it; lost when it could not be');

/** What every command on a hold answers, and its retry again. */
export const HoldAnswer = z.object({ holdId: Id, referralId: Id, state: HoldState, expiresAt: Instant.describe('Until then the referral has to be accepted with it'), version: z.int() }).meta({ id: 'HoldAnswer' });
export type HoldAnswer = z.infer<typeof HoldAnswer>;

/** Where the meeting point of a plan is sealed: with the hold's own key. */
export function meetingPointOf(holdId: string, planId: string): SealedPlace {
  return { caseId: holdId, field: `meeting-point:${planId}`, version: 1 };
}

export const expiryKind = 'shelter.hold-expiry';
export const releaseKind = 'shelter.hold-release';

const aggregate: Aggregate<Hold, HoldEvent, HoldAnswer> = {
  ...holdDecider,
  name: 'hold',
  events: [...Object.values(holdEvents), ...Object.values(privateHoldEvents)] as EventDefinition[],
  relations(state, organisationId, params) {
    if (state.status === 'none') return params.holdId === undefined && params.referralId === undefined && params.organisationId === organisationId ? ['own'] : [];
    if (params.organisationId !== state.placed.organisationId) return [];
    // A plan stands under its referral: under any other id, a hold's own too, there is none.
    if (params.referralId !== undefined && params.referralId !== state.placed.referralId) return [];
    if (organisationId === state.placed.organisationId) return ['own'];
    return organisationId === state.placed.fromOrg ? ['sending'] : [];
  },
  answer(state, holdId, version) {
    const { placed, status } = state as KnownHold;
    return { holdId, referralId: placed.referralId, state: status, expiresAt: placed.expiresAt, version };
  },
  subject: (state, id) => (state.status === 'none' ? {} : { publicId: id, referralId: state.placed.referralId }),
};

/** All holds and the stays that grow out of them, each its own stream. */
@Injectable()
export class Holds extends Stream<Hold, HoldEvent, HoldAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }

  /** The newest hold for a referral, or the referral's id itself, which is no hold: whoever asks is then refused and recorded like for any other unknown one. */
  async idFor(referralId: string): Promise<string> {
    const { rows } = await this.engine.database.app.query<{ hold_id: string }>({
      name: 'shelter-hold-for', values: [referralId], text: 'SELECT hold_id FROM hold WHERE referral_id = $1 ORDER BY placed_at DESC, hold_id LIMIT 1',
    });
    return rows[0]?.hold_id ?? referralId;
  }

  subjectOf(state: Hold, id: string, version: number): Subject {
    return { type: aggregate.name, aggregateId: id, version, ...aggregate.subject(state, id) };
  }
}

/** The holds of a referral that still keep a bed: one, or none. */
export async function liveHoldsOf(tx: Transaction, referralId: string): Promise<string[]> {
  const rows = await tx.query({ name: 'shelter-live-holds', values: [referralId], text: 'SELECT hold_id FROM hold WHERE referral_id = $1 AND state IN (\'unconfirmed\', \'confirmed\', \'occupied\') LIMIT 2' });
  return rows.map((row) => row.hold_id as string);
}

const stateOf: Record<string, KnownHold['status']> = {
  'shelter.hold-confirmed.v1': 'confirmed', 'shelter.stay-started.v1': 'occupied', 'shelter.stay-ended.v1': 'ended',
  'shelter.hold-released.v1': 'released', 'shelter.hold-expired.v1': 'expired', 'shelter.hold-lost.v1': 'lost',
};

/** Which beds are taken, until when: the rows that the constraint watches follow every event of a hold in its own transaction. */
export const holdTables: Projection = {
  on: ['shelter.hold-placed.v1', ...Object.keys(stateOf)],
  project(event: StoredEvent): readonly Statement[] {
    if (event.type === 'shelter.hold-placed.v1') return placed(event as StoredEvent<Placed>);
    const state = stateOf[event.type]!;
    const move: Statement = { name: 'shelter-hold-move', values: [event.stream, state], text: 'UPDATE hold SET state = $2 WHERE hold_id = $1' };
    if (state === 'confirmed' || state === 'occupied') {
      return [move, { name: 'shelter-beds-keep', values: [event.stream, state], text: 'UPDATE bed_hold SET state = $2 WHERE hold_id = $1' }];
    }
    return [
      move,
      {
        name: 'shelter-beds-free', values: [event.stream, state, event.at],
        text: `UPDATE bed_hold SET state = $2, stay = CASE WHEN upper_inf(stay) THEN tstzrange(lower(stay), GREATEST($3::timestamptz, lower(stay) + interval '1 millisecond')) ELSE stay END WHERE hold_id = $1`,
      },
      scheduleDue({ kind: recountKind, key: (event.data as { organisationId: string }).organisationId, at: event.at, clock: 'business' }),
    ];
  },
};

function placed(event: StoredEvent<Placed>): Statement[] {
  const { data } = event;
  return [
    {
      name: 'shelter-hold-add', values: [event.stream, data.organisationId, data.referralId, event.at],
      text: 'INSERT INTO hold (hold_id, organisation_id, referral_id, state, placed_at) VALUES ($1, $2, $3, \'unconfirmed\', $4)',
    },
    {
      name: 'shelter-beds-take', values: [event.stream, [...data.bedIds].sort(), event.at],
      text: 'INSERT INTO bed_hold (hold_id, bed_id, state, stay) SELECT $1, bed_id, \'unconfirmed\', tstzrange($3, NULL) FROM unnest($2::uuid[]) AS t (bed_id)',
    },
    scheduleDue({ kind: recountKind, key: data.organisationId, at: event.at, clock: 'business' }),
  ];
}

/** The two clocks of a hold: an answer has to come, and after a withdrawal the bed waits a while. */
export const holdClocks: Projection = {
  on: ['shelter.hold-placed.v1', 'shelter.release-deferred.v1', ...Object.keys(stateOf)],
  project(event: StoredEvent): readonly Statement[] {
    if (event.type === 'shelter.hold-placed.v1') return [scheduleDue({ kind: expiryKind, key: event.stream, at: new Date((event.data as Placed).expiresAt), clock: 'business' })];
    if (event.type !== 'shelter.release-deferred.v1') return [cancelDue(expiryKind, event.stream), ...(event.type === 'shelter.hold-confirmed.v1' ? [] : [cancelDue(releaseKind, event.stream)])];
    const { releaseAt } = event.data as z.infer<typeof privateHoldEvents.ReleaseDeferred.data>;
    return [cancelDue(expiryKind, event.stream), scheduleDue({ kind: releaseKind, key: event.stream, at: new Date(releaseAt), clock: 'business' })];
  },
};

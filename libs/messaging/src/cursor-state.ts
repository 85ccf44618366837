import type { Pool, PoolClient, Row, Statement } from '@amana/persistence';
import { beforeEverything, type Snapshot } from './published-window.ts';

/** A cursor's row in `relay_state`: which log it follows, and up to where that log has been handed on. */
export interface CursorState extends Row {
  readonly epoch: string;
  readonly snap: string;
  readonly system_id: string;
}

/** Which cluster a log lives in, and its snapshot now: a restored or forked log shows itself by one of the two. */
export interface LogState extends Row {
  readonly id: string;
  readonly snap: string;
}

export const logState: Statement = {
  name: 'cursor-log-state', values: [], text: 'SELECT system_identifier::text AS id, pg_current_snapshot()::text AS snap FROM pg_control_system()',
};

export async function readLogState(source: Pick<PoolClient, 'query'>): Promise<LogState> {
  const answer = await source.query<LogState>(logState.text);
  return answer.rows[0]!;
}

/** Begins a new leader's time: whatever an older leader still tries to save no longer finds its epoch. */
export function takeEpoch(subscriber: string, systemId: string): Statement {
  return {
    name: 'cursor-epoch', values: [subscriber, beforeEverything, systemId],
    text: `INSERT INTO relay_state (subscriber, epoch, snap, system_id) VALUES ($1, 1, $2::pg_snapshot, $3)
      ON CONFLICT (subscriber) DO UPDATE SET epoch = relay_state.epoch + 1 RETURNING epoch, snap::text AS snap, system_id`,
  };
}

/** Answers no row if the epoch is over. */
export function saveSnapshot(subscriber: string, epoch: string, snapshot: Snapshot): Statement {
  return {
    name: 'cursor-save', values: [subscriber, epoch, snapshot.text],
    text: 'UPDATE relay_state SET snap = $3::pg_snapshot, updated_at = now() WHERE subscriber = $1 AND epoch = $2 RETURNING 1',
  };
}

/**
 * An operator's answer to a restored or forked log: the cursor takes this log for the one it follows. `beginning` sends
 * everything again (consumers remember the events of 30 days), `now` sends only what comes from here on.
 */
export async function reseedCursor(options: { source: Pool; state: Pool; subscriber: string; from: 'beginning' | 'now' }): Promise<void> {
  const { id, snap } = await readLogState(options.source);
  await options.state.query('UPDATE relay_state SET epoch = epoch + 1, system_id = $2, snap = $3::pg_snapshot, updated_at = now() WHERE subscriber = $1',
    [options.subscriber, id, options.from === 'now' ? snap : beforeEverything]);
}

import { Injectable } from '@nestjs/common';
import { relationSuffices, type Relation } from '@amana/access';
import { inTransaction, type Row, type Statement, type Transaction } from '@amana/persistence';
import { currentTraceparent } from '@amana/telemetry';
import type { Act } from './act.ts';
import type { Subject } from './audit-trail.ts';
import { Denied } from './denied.ts';
import { StreamEngine } from './stream.ts';

export interface Look<T> {
  readonly answer: T;
  readonly subjects: readonly Subject[];
}

/** The only way in which something is shown: the look's audit entries are committed before the answer leaves. */
@Injectable()
export class Looks {
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  /**
   * Reads in one transaction, appends one audit entry for each subject, commits, and only then answers.
   * A refusal thrown by `look` is not audited; use `deny` where a known caller asked for what exists.
   */
  async show<T>(act: Act, first: readonly Statement[], look: (rows: Row[][], tx: Transaction) => Look<T> | Promise<Look<T>>): Promise<T> {
    return await inTransaction(this.#engine.database.app, first, async (tx, rows) => {
      const { answer, subjects } = await look(rows, tx);
      const entries = subjects.map((subject) => this.#engine.trail.entry({ actor: act, action: act.action, subject, decision: 'permit', outcome: 'shown', requestId: act.requestId }));
      if (entries.length > 0) this.#engine.append(tx, entries, { correlation: act.requestId, traceparent: currentTraceparent() });
      return answer;
    });
  }

  /** Refuses like something that does not exist, unless one of the relations suffices for the act. The denial is audited. */
  require(act: Act, relations: readonly Relation[], subject: Subject): Promise<void> {
    return relationSuffices(act.action, relations) ? Promise.resolve() : Promise.reject(new Denied(act, subject));
  }
}

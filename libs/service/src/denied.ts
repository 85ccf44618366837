import { Refusal } from '@amana/contracts';
import type { Act } from './act.ts';
import type { Subject } from './audit-trail.ts';

/**
 * A known caller asked for what is not theirs. It looks like something that does not exist, and is put on record by the
 * edge once no transaction is open any more: a denial must not wait for a second connection while it holds a first.
 */
export class Denied extends Refusal {
  readonly act: Act;
  readonly subject: Subject;

  constructor(act: Act, subject: Subject) {
    super('not-found');
    this.act = act;
    this.subject = subject;
  }
}

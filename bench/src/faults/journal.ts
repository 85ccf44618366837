import { appendFileSync } from 'node:fs';

/** One command as its caller knows it: what was asked, under which key, and what was answered. */
export interface CommandEntry {
  readonly kind: 'command';
  readonly run: number;
  readonly requestId: string;
  readonly idempotencyKey: string;
  readonly client: string;
  readonly service: string;
  /** Method and path with `:names`, as the idempotency row has it. */
  readonly route: string;
  /** `unanswered`: nobody knows whether it was carried out, and both are right. */
  readonly outcome: 'acknowledged' | 'refused' | 'unanswered';
  readonly status: number;
  readonly code: string | undefined;
  /** Of an acknowledged command: what it made or moved, and the version it then had. */
  readonly stream: string | undefined;
  readonly version: number | undefined;
  readonly attempts: number;
}

/** One answered look at a referral: its audit entry must have been committed before the answer left. */
export interface LookEntry {
  readonly kind: 'look';
  readonly run: number;
  readonly service: string;
  readonly referralId: string;
  readonly version: number;
}

/** An event that a test writer committed to a service's log itself, such as a withdrawal of consent. */
export interface WriteEntry {
  readonly kind: 'write';
  readonly run: number;
  readonly service: string;
  readonly stream: string;
  readonly version: number;
}

/** A message put on a topic that no service wrote. */
export interface InjectedEntry {
  readonly kind: 'injected';
  readonly run: number;
  readonly what: 'poison' | 'unknown-version' | 'oversize' | 'follower';
  readonly topic: string;
  readonly key: string;
  readonly eventId: string;
}

/** What an operator decided about a dead message, and was answered. */
export interface OperatorEntry {
  readonly kind: 'operator';
  readonly run: number;
  readonly service: string;
  readonly eventId: string;
  readonly act: 'replay' | 'skip';
  readonly status: number;
}

export type JournalEntry = CommandEntry | LookEntry | WriteEntry | InjectedEntry | OperatorEntry;

/** What the callers saw, appended as it happened. It lives outside of everything that is killed. */
export class Journal {
  readonly #file: string;
  readonly #entries: JournalEntry[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  append(entry: JournalEntry): void {
    this.#entries.push(entry);
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

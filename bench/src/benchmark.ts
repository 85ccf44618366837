import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Figure } from './figure.ts';

/** A benchmark: it measures its figures and, in the same run, their references. */
export interface Benchmark {
  readonly name: string;
  measure(session: Session): Promise<Figure[]>;
}

export const checkout = resolve(import.meta.dirname, '../..');

/** What a benchmark is given, and what it leaves behind for the end: every process and folder it made is undone, last first. */
export class Session {
  /** How often each measurement is repeated; figures are medians. */
  readonly runs: number;
  readonly tell: (line: string) => void;
  readonly #undo: (() => unknown)[] = [];
  #folders = 0;
  #ended: Promise<void> | undefined;
  readonly #over = new AbortController();

  constructor(options: { runs: number; tell: (line: string) => void }) {
    this.runs = options.runs;
    this.tell = options.tell;
  }

  /** Aborts when the session ends: programs that are still running are ended with it. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  onEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /** A folder of its own on the checkout's disk, not in a memory file system: what is durable must cost what it costs. */
  folder(): string {
    this.#folders += 1;
    const folder = join(checkout, '.amana', 'bench', `${process.pid}-${this.#folders}`);
    mkdirSync(folder, { recursive: true });
    this.onEnd(() => { rmSync(folder, { recursive: true, force: true }); });
    return folder;
  }

  /** Undoes everything once, however often it is called; what cannot be undone is told and does not stop the rest. */
  end(): Promise<void> {
    this.#over.abort();
    this.#ended ??= this.#undoAll();
    return this.#ended;
  }

  async #undoAll(): Promise<void> {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        this.tell(`Could not clean up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

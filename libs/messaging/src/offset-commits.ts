import type { EachBatchPayload } from 'kafkajs';

interface Place {
  readonly topic: string;
  readonly partition: number;
  /** The next message to read. */
  readonly offset: string;
}

/** Behind the effects, so that no fetch waits for it. After a crash so much comes again, and the inbox removes it. */
const commitAfterMs = 200;
/** A commit that failed while the member keeps its place: a quiet partition would otherwise show a lag for ever. */
const commitAgainMs = 1_000;

/** Tells the group how far each partition has come: soon after, all partitions in one request, and again until it is heard. */
export class OffsetCommits {
  readonly #pending = new Map<string, Place>();
  #payload: EachBatchPayload | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  /** The effects of everything before `place` are committed. */
  note(payload: EachBatchPayload, place: Place): void {
    this.#payload = payload;
    this.#pending.set(`${place.topic}:${place.partition}`, place);
    this.#timer ??= setTimeout(() => { void this.flush(); }, commitAfterMs);
  }

  /** Commits now what is noted. Never rejects: what fails is tried again a second later. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = this.#last.then(() => this.#commit());
    return this.#last;
  }

  /** The member has a new place in its group: whoever owns the partitions now reads them again from the last commit. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
  }

  async #commit(): Promise<void> {
    const places = [...this.#pending];
    if (places.length === 0) return;
    try {
      await this.#payload!.commitOffsetsIfNecessary({ topics: places.map(([, { topic, partition, offset }]) => ({ topic, partitions: [{ partition, offset }] })) });
      for (const [key, place] of places) if (this.#pending.get(key) === place) this.#pending.delete(key);
    } catch {
      this.#timer ??= setTimeout(() => { void this.flush(); }, commitAgainMs);
    }
  }
}

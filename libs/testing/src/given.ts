import { isDeepStrictEqual } from 'node:util';
import { type DomainEvent, Refusal, type RefusalCode } from '@amana/contracts';
import { type Decider, replay } from '@amana/decider';

export interface Outcome<Event> {
  /** Fails unless exactly these event types came out, in this order; answers the events. */
  yields(...types: readonly string[]): readonly Event[];
  /** Fails unless it was refused with this code. */
  refuses(code: RefusalCode): void;
}

/** Tells a behaviour as a story: what had happened, what is decided, what follows. Nothing is mocked: deciders are pure. */
export function given<State, Event extends DomainEvent>(decider: Decider<State, Event>, past: readonly Event[] = []) {
  const state = replay(decider, past);
  return {
    state,
    when(decide: (state: State) => readonly Event[] | Refusal): Outcome<Event> {
      const result = decide(state);
      return {
        yields(...types) {
          if (result instanceof Refusal) throw new Error(`Refused with ${result.code} instead of yielding ${types.join(', ')}`);
          const came = result.map((event) => event.type);
          if (!isDeepStrictEqual(came, types)) throw new Error(`Yielded [${came.join(', ')}] instead of [${types.join(', ')}]`);
          return result;
        },
        refuses(code) {
          if (!(result instanceof Refusal)) throw new Error(`Yielded [${result.map((event) => event.type).join(', ')}] instead of refusing with ${code}`);
          if (result.code !== code) throw new Error(`Refused with ${result.code} instead of ${code}`);
        },
      };
    },
  };
}

/**
 * A pure aggregate: what it is before anything happened, and how each event changes it.
 * `evolve` must be total: an event it does not know leaves the state as it is.
 */
export interface Decider<State, Event> {
  readonly initial: State;
  readonly evolve: (state: State, event: Event) => State;
}

/** The state after these events, in their order. */
export function replay<State, Event>(decider: Decider<State, Event>, events: Iterable<Event>, from: State = decider.initial): State {
  let state = from;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}

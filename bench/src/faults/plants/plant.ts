import type { Chaos } from '../chaos.ts';
import type { CheckName } from '../checker/checker.ts';
import type { FaultNetwork } from '../network.ts';

/** A bug put into one network on purpose, from outside: no service knows of it, and no service has a switch for it. */
export interface Plant {
  readonly name: string;
  /** What is wrong in it, in one sentence. */
  readonly bug: string;
  /** At least one of these must find it. */
  readonly caughtBy: readonly CheckName[];
  /** Puts it in, before the load. */
  install(network: FaultNetwork): Promise<void>;
  /** Brings about what the bug cannot bear, once the load is over; a sound network is tried in the same way by its faults. */
  provoke?(chaos: Chaos): Promise<void>;
}

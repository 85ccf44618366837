import type { EventDefinition, ServiceName } from '@amana/contracts';
import type { DueRow, MigrationClass, Statement, StoredEvent, Transaction } from '@amana/persistence';
import type { Provider } from '@nestjs/common';

export type SliceClass = new (...args: never[]) => object;

/** How a read table follows this service's own events, in the transaction that appends them. Pure: events in, statements out. */
export interface Projection {
  readonly on: readonly string[];
  project(event: StoredEvent): readonly Statement[];
}

/** A projection whose events are typed by their definition. */
export function projection<const Definitions extends readonly EventDefinition[]>(definitions: Definitions, project: (event: StoredEvent<never>) => readonly Statement[]): Projection {
  return { on: definitions.map((definition) => definition.type), project: project as (event: StoredEvent) => readonly Statement[] };
}

/** A slice that acts when a time has come. */
export interface DueSlice {
  readonly kind: string;
  handle(row: DueRow, tx: Transaction): Promise<void>;
}

/** Something a service must do once it serves, such as publishing a key. Must be harmless when repeated. */
export interface StartSlice {
  onStart(): Promise<void>;
}

/** A service's table of contents: every slice, nothing else. */
export interface ServiceDefinition {
  readonly name: ServiceName;
  /** One sentence for the API document. */
  readonly purpose: string;
  /** Routes: commands and reads. */
  readonly controllers: readonly SliceClass[];
  /** Classes with @Reaction handlers. */
  readonly reactions: readonly SliceClass[];
  readonly projections: readonly Projection[];
  readonly due: readonly (new (...args: never[]) => DueSlice)[];
  readonly onStart: readonly (new (...args: never[]) => StartSlice)[];
  /** Streams and whatever slices share. */
  readonly providers: readonly Provider[];
  readonly migrations: readonly MigrationClass[];
  /** What it publishes besides its audit entries. */
  readonly publishes: readonly EventDefinition[];
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables every service has: event log, cursors, inbox, parked messages, due rows, idempotency, sealed fields. */
export class Foundation1700000000001 implements MigrationInterface {
  name = 'Foundation1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event (
        id uuid NOT NULL, stream uuid NOT NULL, version int NOT NULL CHECK (version > 0), type text NOT NULL,
        topic text, key text NOT NULL, data jsonb NOT NULL, meta jsonb NOT NULL, at timestamptz NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(), position bigint GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY (stream, version));
      CREATE INDEX event_xid ON event (xid);
      -- Bus roles see this view and have no right on the table: private events cannot leave by a mistake in a query.
      CREATE VIEW published_event AS
        SELECT id, stream, version, type, topic, key, data, meta, at, xid, position FROM event WHERE topic IS NOT NULL;

      CREATE TABLE relay_state (
        subscriber text PRIMARY KEY, epoch bigint NOT NULL DEFAULT 0, snap pg_snapshot NOT NULL,
        system_id text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());

      CREATE TABLE inbox (
        event_id uuid NOT NULL, consumer text NOT NULL, topic text NOT NULL, part int NOT NULL, off bigint NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('done', 'skipped', 'parked')), at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, consumer));
      CREATE INDEX inbox_at ON inbox (at);

      CREATE TABLE inbox_parked (
        consumer text NOT NULL, event_id uuid NOT NULL, topic text NOT NULL, pkey text NOT NULL,
        pos bigint GENERATED ALWAYS AS IDENTITY, part int NOT NULL, off bigint NOT NULL, headers jsonb NOT NULL, payload bytea NOT NULL,
        attempts int NOT NULL DEFAULT 0, last_error text, state text NOT NULL DEFAULT 'retry' CHECK (state IN ('retry', 'dead', 'skipped', 'done')),
        parked_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (consumer, event_id));
      CREATE INDEX inbox_parked_live ON inbox_parked (consumer, topic, pkey, pos) WHERE state IN ('retry', 'dead');

      CREATE TABLE due (
        kind text NOT NULL, key text NOT NULL, due_at timestamptz NOT NULL, clock text NOT NULL CHECK (clock IN ('business', 'real')),
        payload jsonb NOT NULL DEFAULT '{}', attempts int NOT NULL DEFAULT 0, last_error text, PRIMARY KEY (kind, key));
      CREATE INDEX due_at ON due (clock, due_at);

      CREATE TABLE idempotency (
        client text NOT NULL, route text NOT NULL, key text NOT NULL, body_mac bytea NOT NULL, stream uuid NOT NULL, version int NOT NULL,
        at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (client, route, key));
      CREATE INDEX idempotency_at ON idempotency (at);

      CREATE TABLE sealed (
        case_id uuid NOT NULL, field text NOT NULL, version int NOT NULL, key_version int NOT NULL, bytes bytea NOT NULL,
        PRIMARY KEY (case_id, field, version));
      CREATE SCHEMA keys;
      CREATE TABLE keys.case_key (
        case_id uuid NOT NULL, version int NOT NULL, wrapped bytea NOT NULL, destroyed_at timestamptz, PRIMARY KEY (case_id, version));

      CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL);
    `);
  }

  async down(): Promise<void> {
    throw new Error('An event log is not taken back');
  }
}

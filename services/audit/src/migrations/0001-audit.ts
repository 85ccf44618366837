import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** The entries as they came: `body` is the leaf's exact bytes, the columns beside it are only there to find it by. */
export class Audit1700000000601 implements MigrationInterface {
  name = 'Audit1700000000601';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_entry (
        event_id uuid PRIMARY KEY, received bigint GENERATED ALWAYS AS IDENTITY, received_at timestamptz NOT NULL DEFAULT now(),
        producer text NOT NULL, key text NOT NULL, tag text NOT NULL, correlation text NOT NULL, at timestamptz NOT NULL,
        actor_tag text NOT NULL, actor_org text NOT NULL, actor_role text NOT NULL, own_doing boolean NOT NULL,
        action text NOT NULL, object_type text NOT NULL, object_id text NOT NULL, object_version int,
        decision text NOT NULL, outcome text NOT NULL, look boolean NOT NULL,
        consent_ref text, consent_version int, recipient_org text, request_id text NOT NULL, body bytea NOT NULL);
      CREATE INDEX audit_entry_key ON audit_entry (key);
      CREATE INDEX audit_entry_tag ON audit_entry (tag);
      CREATE INDEX audit_entry_object ON audit_entry (object_id) WHERE object_type = 'audit-trail';

      -- The serving role may insert and read. Even a mistake in a query cannot change what was recorded.
      CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'An audit entry is not changed' USING ERRCODE = 'restrict_violation'; END $$;
      CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_stays();
      CREATE TRIGGER audit_entry_is_kept BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();
    `);
  }

  async down(): Promise<void> {
    throw new Error('Audit entries are not taken back');
  }
}

import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** The Merkle log over the entries' exact bytes: which entry stands where, the tree's hashes in tiles, and what was signed of it. */
export class Ledger1700000000602 implements MigrationInterface {
  name = 'Ledger1700000000602';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNIQUE INDEX audit_entry_received ON audit_entry (received);
      -- Entries that have no place in the log yet. A row comes with its entry, in one transaction, whoever wrote that: also a replica of
      -- before this migration.
      CREATE TABLE ledger_pending (received bigint PRIMARY KEY REFERENCES audit_entry (received));
      CREATE FUNCTION ledger_awaits() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO ledger_pending VALUES (NEW.received); RETURN NULL; END $$;
      CREATE TRIGGER ledger_awaits AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION ledger_awaits();
      INSERT INTO ledger_pending SELECT received FROM audit_entry;

      -- One row: whoever holds its lock gives out the next places.
      CREATE TABLE ledger_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), size bigint NOT NULL DEFAULT 0,
        origin text NOT NULL DEFAULT 'amana/ledger-' || left(gen_random_uuid()::text, 8));
      INSERT INTO ledger_head DEFAULT VALUES;
      CREATE TABLE ledger_entry (idx bigint PRIMARY KEY, received bigint NOT NULL UNIQUE REFERENCES audit_entry (received));
      CREATE TABLE ledger_tile (level int NOT NULL, idx bigint NOT NULL, width int NOT NULL, hashes bytea NOT NULL, PRIMARY KEY (level, idx), CHECK (length(hashes) = width * 32 AND width BETWEEN 1 AND 256));
      CREATE TABLE ledger_checkpoint (size bigint PRIMARY KEY, note text NOT NULL, at timestamptz NOT NULL DEFAULT now());
      -- What others have signed: one line a witness and size.
      CREATE TABLE ledger_cosignature (size bigint NOT NULL REFERENCES ledger_checkpoint, witness text NOT NULL, line text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (size, witness));

      -- Even a mistake in a query cannot change what was signed: rows stay, a tile only grows, the log never shrinks.
      CREATE FUNCTION ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'The ledger is not changed' USING ERRCODE = 'restrict_violation'; END $$;
      CREATE TRIGGER ledger_entry_stays BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_checkpoint_stays BEFORE UPDATE OR DELETE ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_tile_stays BEFORE DELETE ON ledger_tile FOR EACH ROW EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_tile_grows BEFORE UPDATE ON ledger_tile FOR EACH ROW
        WHEN (NEW.width <= OLD.width OR substring(NEW.hashes FOR length(OLD.hashes)) <> OLD.hashes OR (NEW.level, NEW.idx) <> (OLD.level, OLD.idx)) EXECUTE FUNCTION ledger_stays();
      CREATE FUNCTION ledger_follows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NOT EXISTS (SELECT FROM ledger_checkpoint WHERE size = NEW.size) THEN RAISE EXCEPTION 'The ledger is as large as what was signed' USING ERRCODE = 'restrict_violation'; END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER ledger_head_follows BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_follows();
      CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head FOR EACH ROW WHEN (NEW.size < OLD.size OR NEW.origin <> OLD.origin) EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_entry_is_kept BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_tile_is_kept BEFORE TRUNCATE ON ledger_tile FOR EACH STATEMENT EXECUTE FUNCTION ledger_stays();
      CREATE TRIGGER ledger_checkpoint_is_kept BEFORE TRUNCATE ON ledger_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION ledger_stays();
    `);
  }

  async down(): Promise<void> {
    throw new Error('A ledger is not taken back');
  }
}

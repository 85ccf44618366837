import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** Items, webhooks and their deliveries, mail addresses. Addresses themselves are sealed. */
export class Notifications1700000000501 implements MigrationInterface {
  name = 'Notifications1700000000501';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- seq is given when an organisation looks, under its lock: given at writing, a reader could pass one that commits late.
      CREATE TABLE item (
        item_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, seq bigint, kind text NOT NULL, referral_id uuid,
        noted_at timestamptz NOT NULL, read_at timestamptz, version int NOT NULL);
      CREATE UNIQUE INDEX item_seq ON item (organisation_id, seq) WHERE seq IS NOT NULL;
      CREATE INDEX item_unnumbered ON item (organisation_id, noted_at, item_id) WHERE seq IS NULL;
      CREATE TABLE item_feed (organisation_id uuid PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);

      CREATE TABLE webhook (
        webhook_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, signature text NOT NULL, status text NOT NULL, version int NOT NULL, registered_at timestamptz NOT NULL);
      CREATE INDEX webhook_organisation ON webhook (organisation_id, registered_at, webhook_id);

      CREATE TABLE delivery (
        delivery_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, webhook_id uuid NOT NULL, item_id uuid NOT NULL, status text NOT NULL, attempts int NOT NULL,
        last_status int, reason_code text, next_at timestamptz, version int NOT NULL, scheduled_at timestamptz NOT NULL, position bigint GENERATED ALWAYS AS IDENTITY);
      CREATE INDEX delivery_organisation ON delivery (organisation_id, position DESC);

      CREATE TABLE mailbox (organisation_id uuid PRIMARY KEY, language text NOT NULL, active boolean NOT NULL, version int NOT NULL);
      CREATE TABLE referral_party (referral_id uuid PRIMARY KEY, from_org uuid NOT NULL, to_org uuid NOT NULL);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Notifications are not taken back');
  }
}

import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** Sites with their beds, holds, and what a shelter keeps of other services' facts. */
export class Shelter1700000000201 implements MigrationInterface {
  name = 'Shelter1700000000201';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS btree_gist;

      CREATE TABLE shelter_service (service_id uuid PRIMARY KEY, organisation_id uuid NOT NULL);
      CREATE INDEX shelter_service_organisation ON shelter_service (organisation_id);

      CREATE TABLE shelter_referral (
        referral_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, from_org uuid NOT NULL, service_id uuid NOT NULL, consent_ref uuid NOT NULL,
        status text NOT NULL, urgency text NOT NULL, placement_class text, dependants_count int NOT NULL, ack_by timestamptz NOT NULL, decide_by timestamptz NOT NULL,
        serve_by timestamptz NOT NULL, expires_at timestamptz NOT NULL, submitted_at timestamptz NOT NULL, data_held boolean NOT NULL DEFAULT false);
      CREATE INDEX shelter_referral_list ON shelter_referral (organisation_id, submitted_at DESC, referral_id);
      CREATE INDEX shelter_referral_consent ON shelter_referral (consent_ref);
      CREATE TABLE ended_consent (consent_ref uuid PRIMARY KEY, dispose_not_before timestamptz NOT NULL);

      -- No address here: it is sealed under the site's own key.
      CREATE TABLE site (site_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, service_id uuid NOT NULL, code text NOT NULL);
      CREATE INDEX site_organisation ON site (organisation_id, code);
      CREATE TABLE bed (
        bed_id uuid PRIMARY KEY, site_id uuid NOT NULL REFERENCES site, service_id uuid NOT NULL, room_code text NOT NULL, code text NOT NULL, placement_classes text[] NOT NULL);
      CREATE INDEX bed_service ON bed (service_id);
      CREATE INDEX bed_site ON bed (site_id);

      CREATE TABLE hold (hold_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, referral_id uuid NOT NULL, state text NOT NULL, placed_at timestamptz NOT NULL);
      CREATE UNIQUE INDEX hold_live_referral ON hold (referral_id) WHERE state IN ('unconfirmed', 'confirmed', 'occupied');
      CREATE INDEX hold_referral ON hold (referral_id);

      CREATE TABLE bed_hold (
        hold_id uuid NOT NULL REFERENCES hold, bed_id uuid NOT NULL REFERENCES bed, state text NOT NULL, stay tstzrange NOT NULL, PRIMARY KEY (hold_id, bed_id),
        -- Nobody's check-then-write decides who gets the last bed: the database does.
        CONSTRAINT bed_hold_no_overlap EXCLUDE USING gist (bed_id WITH =, stay WITH &&) WHERE (state IN ('unconfirmed', 'confirmed', 'occupied')));
      CREATE INDEX bed_hold_bed ON bed_hold (bed_id) WHERE state IN ('unconfirmed', 'confirmed', 'occupied');
    `);
  }

  async down(): Promise<void> {
    throw new Error('Holds are not taken back');
  }
}

import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** The board of referrals, the directory, and what referral keeps of other services' facts. */
export class Referral1700000000101 implements MigrationInterface {
  name = 'Referral1700000000101';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE referral_board (
        referral_id uuid PRIMARY KEY, from_org uuid NOT NULL, to_org uuid NOT NULL, service_id uuid NOT NULL, kind text NOT NULL,
        status text NOT NULL, version int NOT NULL, urgency text NOT NULL, placement_class text, dependants_count int NOT NULL,
        delivery_mode text NOT NULL, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL, submitted_at timestamptz,
        ack_by timestamptz, decide_by timestamptz, serve_by timestamptz, expires_at timestamptz, consent_ref uuid NOT NULL,
        hold_id uuid, reason_code text, alternatives uuid[] NOT NULL DEFAULT '{}', outcome_code text, arrival_confirmed boolean NOT NULL DEFAULT false,
        redirected_from uuid, redirected_to uuid, changed_at timestamptz NOT NULL);
      CREATE INDEX referral_board_from ON referral_board (from_org, changed_at DESC, referral_id);
      CREATE INDEX referral_board_to ON referral_board (to_org, changed_at DESC, referral_id);
      CREATE INDEX referral_board_consent ON referral_board (consent_ref);

      CREATE TABLE organisation (
        organisation_id uuid PRIMARY KEY, name text NOT NULL, status text NOT NULL, protocol_version text, ceiling text[] NOT NULL);
      CREATE TABLE service (
        service_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, kind text NOT NULL, name text NOT NULL, status text NOT NULL,
        minimum_age int, maximum_age int, sexes text[] NOT NULL, families boolean NOT NULL, languages text[] NOT NULL, regions text[] NOT NULL,
        assured_on date, capacity_status text, capacity_band text, capacity_as_of timestamptz);

      CREATE TABLE receipt_key (kid text PRIMARY KEY, key jsonb NOT NULL);
      CREATE TABLE ended_consent (consent_ref uuid PRIMARY KEY, effective_at timestamptz NOT NULL);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Referrals are not taken back');
  }
}

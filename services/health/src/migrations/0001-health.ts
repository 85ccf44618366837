import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** The clinic's list, and which consents have ended. What describes a person is sealed, not in a column. */
export class Health1700000000301 implements MigrationInterface {
  name = 'Health1700000000301';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE medical_referral (
        referral_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, from_org uuid NOT NULL, service_id uuid NOT NULL, consent_ref uuid NOT NULL,
        status text NOT NULL, version int NOT NULL, urgency text NOT NULL, ack_by timestamptz NOT NULL, decide_by timestamptz NOT NULL, serve_by timestamptz NOT NULL,
        submitted_at timestamptz NOT NULL, appointment_id uuid, attempt int, starts_at timestamptz, data_held boolean NOT NULL DEFAULT false);
      CREATE INDEX medical_referral_list ON medical_referral (organisation_id, submitted_at DESC, referral_id);
      CREATE INDEX medical_referral_consent ON medical_referral (consent_ref);
      CREATE TABLE ended_consent (consent_ref uuid PRIMARY KEY, dispose_not_before timestamptz NOT NULL);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Medical referrals are not taken back');
  }
}

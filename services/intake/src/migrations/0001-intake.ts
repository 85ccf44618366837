import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** Read tables of intake: ids, codes and clocks. What describes a person stands in `sealed` alone. */
export class Intake1700000000201 implements MigrationInterface {
  name = 'Intake1700000000201';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE case_board (
        case_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, status text NOT NULL, version int NOT NULL, opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL);
      CREATE INDEX case_board_list ON case_board (organisation_id, changed_at DESC, case_id);
      -- Source and id of an imported row, as a keyed hash: the file's own ids may lead to a person.
      CREATE TABLE import_key (organisation_id uuid NOT NULL, mac bytea NOT NULL, case_id uuid NOT NULL, PRIMARY KEY (organisation_id, mac));

      CREATE TABLE consent (
        consent_ref uuid PRIMARY KEY, case_id uuid NOT NULL, owner_org uuid NOT NULL, organisation_id uuid NOT NULL, service_id uuid, categories text[] NOT NULL,
        purpose text NOT NULL, given_at timestamptz NOT NULL, until timestamptz NOT NULL, language text NOT NULL, version int NOT NULL, place bigint GENERATED ALWAYS AS IDENTITY,
        withdrawn_at timestamptz, dispose_not_before timestamptz);
      CREATE INDEX consent_case ON consent (case_id);
      CREATE TABLE disclosed (consent_ref uuid NOT NULL, organisation_id uuid NOT NULL, first_at timestamptz NOT NULL, PRIMARY KEY (consent_ref, organisation_id));
      CREATE TABLE consent_holder (
        consent_ref uuid NOT NULL, organisation_id uuid NOT NULL, acknowledged_at timestamptz, disposition text, attested_at timestamptz, PRIMARY KEY (consent_ref, organisation_id));

      CREATE TABLE referral_link (
        referral_id uuid PRIMARY KEY, consent_ref uuid NOT NULL, from_org uuid NOT NULL, to_org uuid NOT NULL, service_id uuid NOT NULL, urgency text NOT NULL, status text NOT NULL);
      CREATE INDEX referral_link_consent ON referral_link (consent_ref);
      -- A stay or a consultation that was heard of before its referral.
      CREATE TABLE early_outcome (referral_id uuid NOT NULL, indicator text NOT NULL, organisation_id uuid NOT NULL, PRIMARY KEY (referral_id, indicator));

      CREATE TABLE transfer_board (
        transfer_id uuid PRIMARY KEY, case_id uuid NOT NULL, from_org uuid, to_org uuid, consent_ref uuid, status text NOT NULL, version int NOT NULL, expires_at timestamptz, changed_at timestamptz NOT NULL);
      CREATE INDEX transfer_board_from ON transfer_board (from_org, changed_at DESC, transfer_id);
      CREATE TABLE incoming_transfer (
        transfer_id uuid PRIMARY KEY, from_org uuid NOT NULL, to_org uuid NOT NULL, status text NOT NULL, expires_at timestamptz NOT NULL, case_id uuid, changed_at timestamptz NOT NULL);
      CREATE INDEX incoming_transfer_to ON incoming_transfer (to_org, changed_at DESC, transfer_id);

      CREATE TABLE organisation (organisation_id uuid PRIMARY KEY, status text NOT NULL, protocol_version text, ceiling text[] NOT NULL);
      CREATE TABLE service (service_id uuid PRIMARY KEY, organisation_id uuid NOT NULL, status text NOT NULL);
      CREATE INDEX service_organisation ON service (organisation_id);

      CREATE TABLE case_count (
        case_id uuid NOT NULL, indicator text NOT NULL, organisation_id uuid NOT NULL, month text NOT NULL, sent_at timestamptz, PRIMARY KEY (case_id, indicator));
      CREATE INDEX case_count_month ON case_count (organisation_id, month);
      CREATE INDEX case_count_unsent ON case_count (month) WHERE sent_at IS NULL;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Cases are not taken back');
  }
}

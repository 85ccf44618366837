import type { MigrationInterface, QueryRunner } from '@amana/persistence';

/** Facts as they came, each with an id that appears nowhere else, and which totals were given away. */
export class Indicators1700000000701 implements MigrationInterface {
  name = 'Indicators1700000000701';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE counting_fact (
        counting_id uuid PRIMARY KEY, indicator text NOT NULL, month text NOT NULL, pair text NOT NULL, dimensions jsonb NOT NULL);
      CREATE INDEX counting_fact_month ON counting_fact (indicator, pair, month);

      -- A total that was shown can be subtracted from the next one: what may still be shown depends on it.
      CREATE TABLE released_range (
        indicator text NOT NULL, from_month text NOT NULL, to_month text NOT NULL, with_cells boolean NOT NULL,
        PRIMARY KEY (indicator, from_month, to_month));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Counting facts are not taken back');
  }
}

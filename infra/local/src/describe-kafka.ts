import { kafkaAvailability } from './kafka-kit.ts';

type Describe = ((title: string, body: () => void) => void) & { skip: (title: string, body: () => void) => void };
type TestGlobals = { describe: Describe; it: (title: string, body: () => void) => void };

/**
 * `describe` for specs that need a broker. Where Java or Maven is missing they are skipped, and say so; with
 * AMANA_REQUIRE_KAFKA=1 that is a failure instead, so that a build machine cannot pass by testing less.
 */
export function describeKafka(title: string, body: () => void): void {
  // Taken from the test run, because this file is part of a package that also runs outside of tests.
  const { describe, it } = globalThis as unknown as TestGlobals;
  const found = kafkaAvailability();
  if (found.available) return describe(title, body);
  if (process.env['AMANA_REQUIRE_KAFKA'] === '1') {
    return describe(title, () => {
      it('needs a broker', () => {
        throw new Error(`AMANA_REQUIRE_KAFKA=1, but Kafka cannot run here: ${found.reason}.`);
      });
    });
  }
  process.stderr.write(`SKIPPED, not tested: "${title}", because Kafka cannot run here: ${found.reason}.\n`);
  describe.skip(title, body);
}

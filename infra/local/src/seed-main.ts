import { readEnvironment, runProgram } from './entry-point.ts';
import { seedDirectory } from './seed.ts';
import type { Stack } from './stack.ts';

/** Lists the invented network in a running network's directory, as its coordinator would. The same again changes nothing. */
await runProgram(async () => {
  const { AMANA_URL: url, AMANA_STATE_DIR: stateDir } = readEnvironment('seed');
  // Of a whole stack only its address and the folder of its key files are needed.
  const listed = await seedDirectory({ url, options: { stateDir } } as unknown as Stack, { startsAt: new Date() });
  console.log(`The directory lists ${listed.organisations} organisations and ${listed.services} services`);
});

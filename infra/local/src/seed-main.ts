import { readEnvironment, runProgram } from './entry-point.ts';
import { seedDirectory } from './seed.ts';

/** Lists the invented network in a running network's directory, as its coordinator would. The same again changes nothing. */
await runProgram(async () => {
  const { AMANA_URL: url, AMANA_STATE_DIR: stateDir } = readEnvironment('seed');
  const listed = await seedDirectory({ url, options: { stateDir } }, { startsAt: new Date() });
  console.log(`The directory lists ${listed.organisations} organisations and ${listed.services} services`);
});

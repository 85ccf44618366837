// npm run check: the quick part of npm test, under a minute.
import { runGates } from './gates.mjs';
import { ensureInstalled } from './install.mjs';
import { main } from './terminal.mjs';

await main(async () => {
  await ensureInstalled();
  return await runGates(['build', 'types', 'lint', 'boundaries', 'unit']);
});

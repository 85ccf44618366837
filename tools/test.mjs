// npm test: every check there is; the last line stands alone: N passed, N failed, N skipped.
import { runGates } from './gates.mjs';
import { ensureInstalled } from './install.mjs';
import { main } from './terminal.mjs';

await main(async () => {
  await ensureInstalled();
  return await runGates(['build', 'types', 'lint', 'boundaries', 'kafka', 'unit', 'int', 'scenarios']);
});

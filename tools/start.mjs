// npm start: installs, builds, and runs the whole network on this machine until Ctrl-C.
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { main } from './terminal.mjs';

await main(async (args) => {
  await ensureInstalled();
  await build();
  return await launch(join('infra', 'local', 'dist', 'main.js'), args);
});

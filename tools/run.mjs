// npm run scenario | bench | faults | contracts | openapi | ledger: installs, builds, and runs that program with the arguments given.
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { main } from './terminal.mjs';

const programs = {
  scenario: join('scenarios', 'dist', 'main.js'),
  bench: join('bench', 'dist', 'main.js'),
  faults: join('bench', 'dist', 'faults', 'main.js'),
  contracts: join('libs', 'contracts', 'dist', 'generate.js'),
  openapi: join('infra', 'local', 'dist', 'write-openapi.js'),
  ledger: join('infra', 'local', 'dist', 'export-ledger.js'),
};

await main(async ([name, ...args]) => {
  const program = programs[name];
  if (program === undefined) throw new Error(`There is no "${name}". Choose one of: ${Object.keys(programs).join(', ')}.`);
  await ensureInstalled();
  await build();
  return await launch(program, args);
});

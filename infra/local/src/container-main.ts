import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ServiceName } from '@amana/contracts';
import { runProgram } from './entry-point.ts';

const root = resolve(import.meta.dirname, '../../..');
const programs = {
  issuer: 'issuer-main.js', router: 'router-main.js', migrate: 'migrate-all.js', seed: 'seed-main.js', token: 'token.js', 'deploy-secrets': 'deploy-secrets.js',
} as const;

/** The image's one entry point: runs the service or program that its first argument, or else AMANA_SERVICE, names. */
await runProgram(async () => {
  const name = process.argv[2] ?? process.env.AMANA_SERVICE ?? '';
  const file = fileOf(name);
  if (!file) throw new Error(`Say what to run, by an argument or AMANA_SERVICE: ${[...ServiceName.options, ...Object.keys(programs)].join(', ')}.`);
  if (!existsSync(file)) throw new Error(`${name} is not built`);
  // The program must find its own arguments where it would without this step.
  process.argv.splice(1, Math.min(2, process.argv.length - 1), file);
  await import(pathToFileURL(file).href);
});

function fileOf(name: string): string | undefined {
  const service = ServiceName.safeParse(name);
  if (service.success) return join(root, 'services', service.data, 'dist', 'main.js');
  return Object.hasOwn(programs, name) ? join(import.meta.dirname, programs[name as keyof typeof programs]) : undefined;
}

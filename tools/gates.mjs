// The checks that npm run check and npm test are made of. Each gate answers how many tests passed, failed and were
// skipped, and what there is to say; a gate that is not made of specs counts as one test.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './build.mjs';
import { codeOf, environment, nodeProgram, root, secondsSince, startProgress } from './terminal.mjs';

const TSC = join('node_modules', '@typescript', 'native', 'bin', 'tsc');
const JEST = ['--experimental-vm-modules', '--no-warnings', join('node_modules', 'jest', 'bin', 'jest.js')];
const STAGE_TIMEOUT_MS = 20 * 60_000;

export const gates = {
  build: quietGate('build', [TSC, '-b']),
  types: quietGate('types of the specs', [TSC, '-p', 'tsconfig.test.json']),
  lint: quietGate('lint', [join('node_modules', 'oxlint', 'bin', 'oxlint'), '--type-aware', '--tsconfig', 'tsconfig.test.json']),
  boundaries: quietGate('boundaries', [join('tools', 'boundaries.mjs')]),
  kafka: { name: 'kafka', run: prepareKafka },
  unit: specGate('unit', 'unit specs'),
  int: specGate('int', 'integration specs'),
  scenarios: specGate('scenarios', 'scenarios'),
};

/** Runs gates one after the other, each to its end whatever became of the one before, and adds up. */
export async function runGates(names) {
  const startedAtMs = Date.now();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const remarks = [];
  for (const name of names) {
    const { remark, ...counts } = await gates[name].run();
    for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
    if (remark) remarks.push(remark);
    if (counts.failed > 0) remarks.push(`FAILED: ${gates[name].name}`);
  }
  console.log('');
  for (const remark of remarks) console.log(remark);
  console.log(`Took ${secondsSince(startedAtMs)}.`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

function quietGate(name, args) {
  return {
    name,
    async run() {
      const progress = startProgress(name);
      const { code, output } = await runQuietly(args);
      progress.end(code === 0 ? 'passed' : 'FAILED');
      if (code !== 0) console.log(output);
      return code === 0 ? { passed: 1 } : { failed: 1 };
    },
  };
}

function specGate(stage, name) {
  return {
    name,
    async run() {
      if (stage === 'scenarios' && !holdsSpecs('scenarios')) return { remark: 'There is no scenario to play yet.' };
      const report = join(root, '.amana', `jest-${stage}.json`);
      rmSync(report, { force: true });
      const startedAtMs = Date.now();
      console.log(`\n${name}:`);
      const code = await runOpenly([...JEST, '--ci', '--json', `--outputFile=${report}`], { AMANA_SPECS: stage });
      const counts = countsOf(report, code);
      console.log(`${name}: ${counts.failed === 0 ? 'passed' : 'FAILED'} (${secondsSince(startedAtMs)})`);
      return counts;
    },
  };
}

/** A suite that could not run counts as one failure, and so does a run that left no report or a bad exit code behind. */
function countsOf(report, code) {
  if (!existsSync(report)) return { failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  return { passed: numPassedTests, failed: code === 0 ? failed : Math.max(failed, 1), skipped: numPendingTests + numTodoTests };
}

/** Fetches and prepares the broker before the specs, so that none of them waits for a download. */
async function prepareKafka() {
  const kit = JSON.stringify(join(root, 'infra', 'local', 'dist', 'kafka-kit.js'));
  const unavailable = 3;
  const program = `
    const { kafkaAvailability, prepareKafka } = await import(${kit});
    const found = kafkaAvailability();
    if (!found.available) { console.log('kafka: ' + found.reason); process.exit(${unavailable}); }
    await prepareKafka({ onProgress: (line) => console.log('kafka: ' + line) });`;
  const startedAtMs = Date.now();
  const code = await runOpenly(['--input-type=module', '--eval', program]);
  console.log(`kafka: ${code === 0 ? 'ready' : 'NOT READY'} (${secondsSince(startedAtMs)})`);
  if (code === 0) return { passed: 1 };
  const required = process.env.AMANA_REQUIRE_KAFKA === '1';
  if (code === unavailable && !required) return { skipped: 1, remark: 'NOT TESTED: the Kafka specs were skipped, because Java 17 or later or Maven is missing.' };
  return { failed: 1, remark: required ? 'AMANA_REQUIRE_KAFKA=1, but Kafka could not be prepared.' : undefined };
}

async function runOpenly(args, extraEnvironment = {}) {
  const child = spawn(nodeProgram(), args, { cwd: root, env: environment(extraEnvironment), stdio: ['ignore', 'inherit', 'inherit'], timeout: STAGE_TIMEOUT_MS });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(codeOf(exitCode, signal)));
  });
}

function holdsSpecs(folder) {
  return existsSync(join(root, folder)) && readdirSync(join(root, folder), { recursive: true }).some((name) => /^(?!.*node_modules).*\.spec\.ts$/.test(name));
}

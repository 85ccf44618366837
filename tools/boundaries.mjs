// The boundary gate: first the planted violations of tools/canary must all be reported, and nothing else there; then
// the real tree must have none, with every source file seen. A gate that sees nothing would pass everything.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './build.mjs';
import { main, root } from './terminal.mjs';

const TREES = ['libs', 'services', 'infra/local', 'scenarios', 'bench'];
const CANARY = 'tools/canary';
const LEAST_MODULES = 80;
const IMPURE = /\bDate\.now\(|\bnew Date\(\s*\)|\bMath\.random\(|\bperformance\.|\bprocess\.|\bset(?:Timeout|Interval|Immediate)\(|\bfetch\(|\bcrypto\./;
const PURITY_RULE = 'domain-reads-no-clock';

await main(async () => {
  const problems = [...(await canaryProblems()), ...(await treeProblems())];
  for (const problem of problems) console.log(problem);
  return problems.length === 0 ? 0 : 1;
});

/** Each planted file names the rule that must catch it: `// plants: <rule>`. */
async function canaryProblems() {
  const files = sourcesUnder(CANARY);
  const planted = files.flatMap((file) => [...read(file).matchAll(/^\/\/ plants: (\S+)$/gm)].map(([, rule]) => `${file} ${rule}`));
  const reported = new Set([...(await cruise([CANARY])).violations, ...impurities(files)].map(({ from, rule }) => `${from} ${rule}`));
  const { forbidden } = (await import('./boundaries.cjs')).default;
  const uncovered = [...forbidden.map(({ name }) => name), PURITY_RULE].filter((rule) => !planted.some((plant) => plant.endsWith(` ${rule}`)));
  return [
    ...planted.filter((plant) => !reported.has(plant)).map((plant) => `The gate missed a planted violation: ${plant}`),
    ...[...reported].filter((found) => !planted.includes(found)).map((found) => `The gate reported what nobody planted: ${found}`),
    ...uncovered.map((rule) => `No violation is planted for the rule ${rule}.`),
  ];
}

async function treeProblems() {
  const trees = TREES.filter((tree) => existsSync(join(root, tree)));
  const files = trees.flatMap(sourcesUnder);
  const { violations, seen } = await cruise(trees);
  const unseen = files.filter((file) => !seen.has(file));
  console.log(`${files.length} source files, ${seen.size} modules seen, ${violations.length} violations`);
  return [
    ...[...violations, ...impurities(files)].map(({ from, to, rule }) => `${rule}: ${from} -> ${to}`),
    ...unseen.map((file) => `The gate did not see ${file}.`),
    ...(seen.size < LEAST_MODULES ? [`The gate saw only ${seen.size} modules, at least ${LEAST_MODULES} are there.`] : []),
  ];
}

async function cruise(trees) {
  const command = ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', 'tools/boundaries.cjs', '--output-type', 'json'];
  const { output } = await runQuietly([...command, ...trees]);
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    throw new Error(`dependency-cruiser gave no report.\n${output.slice(0, 2_000)}`);
  }
  const violations = report.summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name }));
  return { violations, seen: new Set(report.modules.map(({ source }) => source)) };
}

/** Globals are not imports, so the text itself is searched: decisions get their instant handed in. */
function impurities(files) {
  return files
    .filter((file) => /(?:services|libs)\/[^/]+\/src\/domain\//.test(file) && !file.endsWith('.spec.ts'))
    .flatMap((file) => {
      const found = IMPURE.exec(read(file).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ''));
      return found ? [{ from: file, to: found[0], rule: PURITY_RULE }] : [];
    });
}

function sourcesUnder(tree) {
  return readdirSync(join(root, tree), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1).replaceAll('\\', '/'))
    .filter((file) => !/(?:^|\/)(?:dist|node_modules)\//.test(file));
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

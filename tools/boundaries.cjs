// Which part may import which (dependency-cruiser). The same rules hold for the planted violations in tools/canary,
// hence the optional prefix of every path: a rule that lets its canary pass fails the gate.
const TREE = '^(?:tools/canary/)?';
const SPEC = '\\.spec\\.ts$';
const SLICES = 'commands|reactions|reads|due';
const rings = { 0: 'contracts|decider', 1: 'access|privacy|ledger', 2: 'persistence|messaging|telemetry|service', 3: 'holding' };
/** Where decisions stand, in services and in libraries. */
const DOMAIN = `${TREE}(services|libs)/([^/]+)/src/domain/`;
const npm = (names) => `node_modules/(?:${names})(?:/|$)`;

/** An npm package that only one library opens; types alone do no harm inside the libraries. */
const onlyIn = (name, { owner, packages, comment }) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `${TREE}(?:libs|services)/`, pathNot: [SPEC, `${TREE}libs/(?:${owner})/`, `${TREE}services/[^/]+/src/migrations/`] },
  to: { path: npm(packages), dependencyTypesNot: ['type-only'] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-service-to-service',
      comment: 'Services meet in events and over HTTP; an import would make one data holder read another.',
      severity: 'error',
      from: { path: `${TREE}services/([^/]+)/` },
      to: { path: `${TREE}services/`, pathNot: `${TREE}services/$1/` },
    },
    {
      name: 'slices-stand-alone',
      comment: 'A slice is read on its own; what two of them need belongs into domain/ or beside the module.',
      severity: 'error',
      from: { path: `${TREE}services/([^/]+)/src/(?:${SLICES})/([^/]+)\\.ts$`, pathNot: SPEC },
      to: { path: `${TREE}services/$1/src/(?:${SLICES})/`, pathNot: `/$2\\.ts$` },
    },
    {
      name: 'domain-is-pure-of-packages',
      comment: 'Decisions are replayed: what they use must answer the same for ever.',
      severity: 'error',
      from: { path: DOMAIN, pathNot: SPEC },
      to: { path: 'node_modules/', pathNot: npm('zod|temporal-polyfill') },
    },
    {
      name: 'domain-is-pure-of-node',
      comment: 'No files, network, clock or randomness in a decision.',
      severity: 'error',
      from: { path: DOMAIN, pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'domain-knows-ring-0-only',
      comment: 'Contracts and the decider are values; every other library does something.',
      severity: 'error',
      from: { path: DOMAIN, pathNot: SPEC },
      to: { path: `${TREE}(?:libs|services|infra|scenarios|bench)/`, pathNot: [`${TREE}libs/(?:${rings[0]})/`, `${TREE}$1/$2/src/domain/`] },
    },
    {
      name: 'ring-0-knows-no-other-ring',
      severity: 'error',
      from: { path: `${TREE}libs/(?:${rings[0]})/`, pathNot: SPEC },
      to: { path: `${TREE}libs/(?:${rings[1]}|${rings[2]}|${rings[3]}|testing)/` },
    },
    {
      name: 'ring-1-knows-ring-0-only',
      severity: 'error',
      from: { path: `${TREE}libs/(?:${rings[1]})/`, pathNot: SPEC },
      to: { path: `${TREE}libs/(?:${rings[2]}|${rings[3]}|testing)/` },
    },
    {
      name: 'ring-2-knows-no-ring-3',
      comment: 'Ring 3 is made of whole acts that services share; the machinery below serves any act.',
      severity: 'error',
      from: { path: `${TREE}libs/(?:${rings[2]})/` },
      to: { path: `${TREE}libs/(?:${rings[3]})/` },
    },
    {
      name: 'inner-rings-know-no-nest',
      comment: 'Rings 0 and 1 are plain functions, usable without any framework.',
      severity: 'error',
      from: { path: `${TREE}libs/(?:${rings[0]}|${rings[1]})/` },
      to: { path: npm('@nestjs/[^/]+|fastify') },
    },
    {
      name: 'libraries-know-no-service',
      severity: 'error',
      from: { path: `${TREE}libs/` },
      to: { path: `${TREE}(?:services|scenarios|bench)/` },
    },
    {
      name: 'product-knows-no-stage',
      comment: 'What only tests, demos and measurements need does not reach the product.',
      severity: 'error',
      from: { path: `${TREE}(?:services|libs/(?!testing/))`, pathNot: SPEC },
      to: { path: `${TREE}(?:libs/testing|infra|scenarios|bench)/` },
    },
    {
      name: 'libraries-have-one-door',
      comment: 'A library is used through its src/index.ts.',
      severity: 'error',
      from: { path: `${TREE}(libs|services|infra|scenarios|bench)/([^/]+)/` },
      to: { path: `${TREE}libs/[^/]+/`, pathNot: [`${TREE}libs/[^/]+/src/index\\.ts$`, `${TREE}$1/$2/`] },
    },
    onlyIn('only-persistence-opens-databases', {
      owner: 'persistence|testing',
      packages: 'pg|pg-pool|typeorm|@nestjs/typeorm',
      comment: 'One place decides on pools, transactions and prepared statements; a migration may name its types.',
    }),
    onlyIn('only-messaging-opens-kafka', {
      owner: 'messaging',
      packages: 'kafkajs',
      comment: 'One place decides on offsets, retries and order.',
    }),
    onlyIn('only-telemetry-starts-opentelemetry', {
      owner: 'telemetry',
      packages: '@opentelemetry/(?!api(?:/|$))[^/]+',
      comment: 'Two copies of the SDK do not see each other.',
    }),
    {
      name: 'opentelemetry-stays-in-ring-2',
      comment: 'Services and inner rings leave tracing to the libraries: attributes come from one allow list.',
      severity: 'error',
      from: { path: `${TREE}(?:services/|libs/(?!${rings[2]}|testing))`, pathNot: SPEC },
      to: { path: npm('@opentelemetry/[^/]+') },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: `${TREE}(?:libs|services|infra|scenarios|bench)/` },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that cannot be followed cannot be judged either.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Our own output only: some packages keep their code in a dist folder too.
    exclude: { path: '^(?:(?:libs|services|infra)/[^/]+|scenarios|bench)/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { conditionNames: ['@amana/source', 'import', 'node', 'default', 'types'], exportsFields: ['exports'], extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = import.meta.dirname;
const tested = ['libs', 'services', 'infra', 'scenarios', 'bench', 'tools'];
const INTEGRATION = '\\.int\\.spec\\.ts$';
const STORIES = '/scenarios/';

// npm test runs the specs in stages by what they cost; without AMANA_SPECS every spec is meant.
const stages = {
  unit: { testPathIgnorePatterns: [INTEGRATION, STORIES] },
  int: { testMatch: ['**/*.int.spec.ts'], testPathIgnorePatterns: [STORIES], maxWorkers: 2, testTimeout: 60_000 },
  scenarios: { testMatch: ['**/scenarios/**/*.spec.ts'], testPathIgnorePatterns: [], maxWorkers: 1, testTimeout: 300_000 },
};
const stage = stages[process.env.AMANA_SPECS] ?? { testPathIgnorePatterns: [] };

/** @type {import('jest').Config} */
export default {
  rootDir: root,
  // Only folders that hold source: state, caches and engine data under .amana are never walked.
  roots: tested.filter((folder) => existsSync(join(root, folder))).map((folder) => join(root, folder)),
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '/tools/canary/'],
  testEnvironment: 'node',
  // The same condition as in tsconfig.base.json: a spec runs the source of each package, never a stale dist.
  testEnvironmentOptions: { customExportConditions: ['@amana/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          // Mirrors experimentalDecorators, emitDecoratorMetadata and useDefineForClassFields of tsconfig.base.json.
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
      },
    ],
  },
  cacheDirectory: join(root, '.amana', 'jest-cache'),
  testTimeout: 15_000,
  ...stage,
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/tools/canary/', ...stage.testPathIgnorePatterns],
};

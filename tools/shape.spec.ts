import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { directoryEvents, healthEvents, intakeEvents, referralEvents, ServiceName, shelterEvents } from '@amana/contracts';
import { cardProblems, emissionProblems, type EventGroups, folderProblems, policyProblems, sliceNameProblems, specProblems } from './shape/service-rules.ts';
import { budgetProblems, clockProblems, consoleProblems, fileNameProblems } from './shape/source-rules.ts';
import { Tree } from './shape/tree.ts';

const folders = ['services', 'libs', 'infra/local', 'scenarios', 'bench', 'tools/shape'];
const groups: EventGroups = { referralEvents, directoryEvents, intakeEvents, shelterEvents, healthEvents };
const rules: readonly (readonly [string, (tree: Tree, events: EventGroups) => string[]])[] = [
  ['are made of known folders and files', folderProblems],
  ['have a card with the same headings', cardProblems],
  ['have a spec beside each domain file', specProblems],
  ['name each slice after what it exports', sliceNameProblems],
  ['declare a policy beside each route', policyProblems],
  ['emit each published event from exactly one service', emissionProblems],
  ['keep to the budgets', budgetProblems],
  ['name their files in kebab-case, with no drawers', fileNameProblems],
  ['write nothing to the console', consoleProblems],
  ['decide without a clock', clockProblems],
];

describe('the services', () => {
  const tree = new Tree(join(import.meta.dirname, '..'), folders);

  it('are all there to be judged', () => {
    expect(tree.services).toEqual([...ServiceName.options].sort());
    expect(tree.sources.length).toBeGreaterThan(100);
  });

  it.each(rules)('%s', (_what, problemsIn) => {
    expect(problemsIn(tree, groups)).toEqual([]);
  });
});

const route = (allow: string): string => `
  @Command('POST /v1/alpha/things', { summary: 'Open a thing' })
${allow}  open() {}
`;

/** The smallest service that is in order. */
const sound: Readonly<Record<string, string>> = {
  'services/alpha/README.md': '# Alpha\n\n## Purpose\n\n## Data held and why\n\n## Events in\n\n## Events out\n\n## States\n\n## Who may do what\n',
  'services/alpha/package.json': '{}',
  'services/alpha/src/main.ts': 'await startFromEnvironment(AlphaService);\n',
  'services/alpha/src/alpha.module.ts': 'export const AlphaService = { publishes: [...Object.values(alphaEvents), otherEvents.Opened] };\n',
  'services/alpha/src/things.ts': 'export class Things {}\n',
  'services/alpha/src/domain/thing.ts': 'export function open(now: Date) { return [{ type: \'alpha.opened.v1\', at: new Date(now) }, { type: true ? \'alpha.closed.v1\' : \'alpha.shut.v1\' }]; }\n',
  'services/alpha/src/due/count-things.ts': 'export const counted = { definition: alphaEvents.Counted };\n',
  'services/alpha/src/domain/thing.spec.ts': 'it(\'opens\', () => {});\n',
  'services/alpha/src/domain/thing-events.ts': 'export const thingEvents = { Opened: published(\'alpha.opened.v1\') };\n',
  'services/alpha/src/commands/open-thing.ts': `export class OpenThing {${route('  @Allow(\'thing.open\')\n')}}\n`,
  'services/alpha/src/reads/thing-list.ts': 'export class ThingListRead {}\n',
  'services/alpha/vectors/LICENSE': 'Somebody else\'s',
  'libs/beta/src/index.ts': 'export * from \'./beta.ts\';\n',
};
const soundGroups: EventGroups = { alphaEvents: { Closed: { type: 'alpha.closed.v1' }, Counted: { type: 'alpha.counted.v1' } }, otherEvents: { Opened: { type: 'alpha.opened.v1' } } };
const many = (line: string, times: number): string => `${line}\n`.repeat(times);
const card = 'services/alpha/README.md';
const command = 'services/alpha/src/commands/open-thing.ts';
const domain = 'services/alpha/src/domain/thing.ts';
const module = 'services/alpha/src/alpha.module.ts';

/** A second service that declares the events of the first. */
function twin(): Record<string, string> {
  const files = Object.entries(sound).filter(([path]) => path.startsWith('services/'));
  return Object.fromEntries(files.map(([path, text]) => [path.replaceAll('alpha', 'gamma'), text.replace('# Alpha', '# Gamma').replaceAll(/alpha\.(?=\w+\.v1)/g, 'gamma.')]));
}

/** What is planted (undefined: the file is left out), and what must be reported: that and nothing else. */
const planted: readonly (readonly [string, Readonly<Record<string, string | undefined>>, readonly string[]])[] = [
  ['a missing card', { [card]: undefined }, [`${card} is missing`]],
  ['a missing module', { [module]: undefined, [domain]: sound[domain]!.replaceAll('alpha.', 'omega.') }, [`${module} is missing`, 'alpha.closed.v1 is published by no module, not by alpha alone', 'alpha.counted.v1 is published by no module, not by alpha alone', 'alpha.opened.v1 is published by no module, not by alpha alone']],
  ['a file beside src', { 'services/alpha/notes.txt': 'x' }, ['services/alpha/notes.txt has no place in a service']],
  ['a file that is no TypeScript', { 'services/alpha/src/reads/list.sql': 'x' }, ['services/alpha/src/reads/list.sql has no place in a service']],
  ['an unknown folder', { 'services/alpha/src/mappers/thing.ts': 'export {};' }, ['services/alpha/src/mappers/thing.ts stands in an unknown folder']],
  ['a folder in a folder', { 'services/alpha/src/domain/deep/thing-code.ts': 'export {};' }, ['services/alpha/src/domain/deep/thing-code.ts has no place in a service']],
  ['too many helpers', Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`services/alpha/src/helper-${index}.ts`, 'export {};'])), ['services/alpha/src has 16 files beside its folders, 15 at most']],
  ['a main that does more', { 'services/alpha/src/main.ts': many('await startFromEnvironment(AlphaService);', 7) }, ['services/alpha/src/main.ts has 7 lines, 6 at most']],
  ['a main of its own kind', { 'services/alpha/src/main.ts': 'await start();\n' }, ['services/alpha/src/main.ts does not start by startFromEnvironment']],
  ['another heading', { [card]: sound[card]!.replace('## States', '## Status') }, [`${card} must have the headings # Alpha, ## Purpose, ## Data held and why, ## Events in, ## Events out, ## States, ## Who may do what`]],
  ['a long card', { [card]: sound[card]! + many('more', 80) }, [`${card} has 93 lines, 80 at most`]],
  ['a decision without a spec', { 'services/alpha/src/domain/thing.spec.ts': undefined }, [`${domain} has no spec beside it`]],
  ['a slice of another name', { 'services/alpha/src/reads/thing-list.ts': 'export class ListThings {}' }, ['services/alpha/src/reads/thing-list.ts does not export what it is named after']],
  ['a command without its policy', { [command]: `export class OpenThing {${route('')}}\n` }, [`${command}:2 is a route without its @Allow`]],
  ['a read without its policy', { [command]: `export class OpenThing {${route('').replace('@Command', '@Read')}}\n` }, [`${command}:2 is a route without its @Allow`]],
  ['a policy in a comment', { [command]: `export class OpenThing {${route('  // @Allow(\'thing.open\')\n')}}\n` }, [`${command}:2 is a route without its @Allow`]],
  ['a route of the framework', { [command]: 'export class OpenThing {\n  @Get(\'things\')\n  list() {}\n}\n' }, [`${command}:2 is declared by @Get, not by @Command, @Read or @Reaction`]],
  ['an event of nobody', { [module]: 'export const AlphaService = { publishes: [otherEvents.Opened] };\n' }, ['alpha.closed.v1 is published by no module, not by alpha alone', 'alpha.counted.v1 is published by no module, not by alpha alone']],
  ['an event of two services', twin(), [
    'alpha.counted.v1 is published by alpha and gamma, not by alpha alone', 'services/gamma/src/due/count-things.ts writes alpha.counted.v1, which is another service\'s',
    'alpha.closed.v1 is published by alpha and gamma, not by alpha alone', 'alpha.opened.v1 is published by alpha and gamma, not by alpha alone',
  ]],
  ['an event of another service', {
    'services/gamma/src/domain/other.ts': 'export const other = { type: \'alpha.opened.v1\' };', 'services/gamma/src/holding.ts': 'export const holding = { acknowledges: alphaEvents.Counted, attests: alphaEvents.Closed };',
  }, [
    'services/gamma/README.md is missing', 'services/gamma/src/gamma.module.ts is missing', 'services/gamma/src/main.ts is missing', 'services/gamma/src/domain/other.ts writes alpha.opened.v1, which is another service\'s',
    'services/gamma/src/holding.ts writes alpha.counted.v1, which is another service\'s', 'services/gamma/src/holding.ts writes alpha.closed.v1, which is another service\'s',
  ]],
  ['an event that nothing writes', { [domain]: 'export const open = () => [{ type: \'alpha.closed.v1\' }];' }, ['alpha.opened.v1 is declared by alpha and written nowhere']],
  ['a long slice', { [command]: sound[command]! + many('//', 120) }, [`${command} has 125 lines, 120 at most`]],
  ['a long file', { 'libs/beta/src/beta.ts': many('//', 251) }, ['libs/beta/src/beta.ts has 251 lines, 250 at most']],
  ['a long function', { 'libs/beta/src/beta.ts': `// One.\nexport function beta() {\n${many('  // and on', 70)}}\n` }, ['libs/beta/src/beta.ts:2 is a function of 72 lines, 70 at most']],
  ['a drawer', { 'libs/beta/src/utils/beta.ts': 'export {};' }, ['libs/beta/src/utils/beta.ts stands in a drawer called utils']],
  ['a file called common', { 'libs/beta/src/common.ts': 'export {};' }, ['libs/beta/src/common.ts stands in a drawer called common']],
  ['a barrel', { 'services/alpha/src/domain/index.ts': 'export {};' }, ['services/alpha/src/domain/index.ts is a barrel']],
  ['a name in another case', { 'libs/beta/src/betaThing.ts': 'export {};' }, ['libs/beta/src/betaThing.ts is not named in kebab-case']],
  ['a word on the console', { 'libs/beta/src/beta.ts': 'export const beta = () => {\n  console.log(1);\n};\n' }, ['libs/beta/src/beta.ts:2 writes to the console']],
  ['a clock in a decision', { [domain]: `${sound[domain]!}const at = Date.now();\nconst then = new Date();\n` }, [`${domain}:2 reads a clock`, `${domain}:3 reads a clock`]],
  ['a library\'s decision with a clock and no spec', { 'libs/beta/src/domain/beta.ts': 'export const beta = () => Date.now();\n' }, ['libs/beta/src/domain/beta.ts has no spec beside it', 'libs/beta/src/domain/beta.ts:1 reads a clock']],
  ['lots in a decision', { [domain]: `${sound[domain]!}const lot = Math.random();\nconst id = randomUUID();\n` }, [`${domain}:2 draws lots`, `${domain}:3 draws lots`]],
];

describe('the shape test', () => {
  let root = '';
  afterEach(() => { rmSync(root, { recursive: true, force: true }); });

  const problemsWith = (changes: Readonly<Record<string, string | undefined>>): string[] => {
    root = mkdtempSync(join(tmpdir(), 'shape-'));
    for (const [path, text] of Object.entries({ ...sound, ...changes })) {
      if (text === undefined) continue;
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const tree = new Tree(root, folders);
    return rules.flatMap(([, problemsIn]) => problemsIn(tree, soundGroups));
  };

  it('finds nothing in a sound service', () => {
    expect(problemsWith({})).toEqual([]);
  });

  it.each(planted)('reports %s', (_what, changes, sentences) => {
    expect(problemsWith(changes).sort()).toEqual([...sentences].sort());
  });
});

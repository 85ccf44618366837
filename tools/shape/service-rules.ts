import ts from 'typescript';
import { decoratorsOf, functionsOf, lineOf, type Source, type Tree, walk } from './tree.ts';

/** `vectors/`: files of others that its specs are tried on, with their licence. */
const besideSrc = /^(?:README\.md|package\.json|tsconfig\.json|openapi\.json|vectors\/[^/]+)$/;
const sliceFolders = ['commands', 'reactions', 'reads', 'due'];
const folders = new Set([...sliceFolders, 'domain', 'migrations']);
/** Streams, the projections beside them and what two slices need: with many more of them it is a second service. */
const mostHelpers = 15;
const mostMainLines = 6;
const mostCardLines = 80;
const cardHeadings = ['## Purpose', '## Data held and why', '## Events in', '## Events out', '## States', '## Who may do what'];
/** The framework's own route decorators: what they declare has neither schema nor policy. */
const bareRoutes = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete', 'All', 'MessagePattern', 'EventPattern']);

export function isSlice(path: string): boolean {
  return /^services\/[^/]+\/src\/(?:commands|reactions|reads|due)\/[^/]+\.ts$/.test(path) && !path.endsWith('.spec.ts');
}

/** Each service is made of the same few folders and files, so that whoever knows one finds their way in all. */
export function folderProblems(tree: Tree): string[] {
  return tree.services.flatMap((name) => {
    const home = `services/${name}`;
    const files = tree.under(home);
    const helpers = files.filter((path) => /^src\/[^/]+\.ts$/.test(path) && !path.endsWith('.spec.ts') && path !== 'src/main.ts' && path !== `src/${name}.module.ts`);
    return [
      ...[`README.md`, 'src/main.ts', `src/${name}.module.ts`].filter((path) => !files.includes(path)).map((path) => `${home}/${path} is missing`),
      ...files.filter((path) => !path.startsWith('src/') && !besideSrc.test(path)).map((path) => `${home}/${path} has no place in a service`),
      ...files.filter((path) => path.startsWith('src/') && !/^src\/(?:[^/]+\/)?[^/]+\.ts$/.test(path)).map((path) => `${home}/${path} has no place in a service`),
      ...files.filter((path) => /^src\/[^/]+\/[^/]+\.ts$/.test(path) && !folders.has(path.split('/')[1]!)).map((path) => `${home}/${path} stands in an unknown folder`),
      ...(helpers.length > mostHelpers ? [`${home}/src has ${helpers.length} files beside its folders, ${mostHelpers} at most`] : []),
      ...mainProblems(tree.source(`${home}/src/main.ts`)),
    ];
  });
}

function mainProblems(main: Source | undefined): string[] {
  if (!main) return [];
  return [
    ...(main.lines > mostMainLines ? [`${main.path} has ${main.lines} lines, ${mostMainLines} at most`] : []),
    ...(main.text.includes('startFromEnvironment(') ? [] : [`${main.path} does not start by startFromEnvironment`]),
  ];
}

/** A service's card answers the same questions in the same order, on at most 80 lines. */
export function cardProblems(tree: Tree): string[] {
  return tree.services.flatMap((name) => {
    const path = `services/${name}/README.md`;
    if (!tree.has(path)) return [];
    const lines = tree.read(path).trimEnd().split('\n');
    const headings = lines.filter((line) => /^#+ /.test(line));
    const wanted = [`# ${name[0]!.toUpperCase()}${name.slice(1)}`, ...cardHeadings];
    return [
      ...(lines.length > mostCardLines ? [`${path} has ${lines.length} lines, ${mostCardLines} at most`] : []),
      ...(headings.join('\n') === wanted.join('\n') ? [] : [`${path} must have the headings ${wanted.join(', ')}`]),
    ];
  });
}

/** Whatever decides is tried beside it. A domain file of types and schemas alone decides nothing. */
export function specProblems(tree: Tree): string[] {
  return tree.sources
    .filter((source) => /^(?:services|libs)\/[^/]+\/src\/domain\//.test(source.path) && !source.isSpec && functionsOf(source).length > 0)
    .filter((source) => !tree.has(source.path.replace(/\.ts$/, '.spec.ts')))
    .map((source) => `${source.path} has no spec beside it`);
}

/** A slice's file is named after what it exports, which may say more (`CaseFileRead` in `case-file.ts`). A due file may hold the two or three clocks of one thing and is named after that. */
export function sliceNameProblems(tree: Tree): string[] {
  return tree.sources.filter(({ path }) => isSlice(path) && !path.includes('/src/due/')).flatMap((source) => {
    const name = source.path.slice(source.path.lastIndexOf('/') + 1, -3).replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const exported = new RegExp(`^export (?:class|const|function|async function) (?:${name}|${name[0]!.toUpperCase()}${name.slice(1)})`, 'm');
    return exported.test(source.text) ? [] : [`${source.path} does not export what it is named after`];
  });
}

/** Every route says who may call it, where the route is declared. */
export function policyProblems(tree: Tree): string[] {
  return tree.sources.filter(({ path, isSpec }) => path.startsWith('services/') && !isSpec).flatMap((source) => {
    const problems: string[] = [];
    walk(source.ast, (node) => {
      const names = decoratorsOf(node);
      const place = names.length > 0 ? `${source.path}:${lineOf(source, node)}` : '';
      const routes = names.filter((name) => name === 'Command' || name === 'Read').length;
      if (routes > 0 && names.filter((name) => name === 'Allow').length !== routes) problems.push(`${place} is a route without its @Allow`);
      for (const name of names.filter((candidate) => bareRoutes.has(candidate))) problems.push(`${place} is declared by @${name}, not by @Command, @Read or @Reaction`);
    });
    return problems;
  });
}

/** Published events by the name of their group in `@amana/contracts` and of the entry in it. */
export type EventGroups = Readonly<Record<string, Readonly<Record<string, { readonly type: string }>>>>;

/** Each published event leaves exactly one service: the one whose name it bears, which declares it in its module and writes it somewhere. */
export function emissionProblems(tree: Tree, groups: EventGroups): string[] {
  const declared = tree.services.flatMap((service) => publishesOf(tree.source(`services/${service}/src/${service}.module.ts`), groups).map((type) => ({ service, type })));
  const types = Object.values(groups).flatMap((group) => Object.values(group).map(({ type }) => type));
  const written = new Map(tree.services.map((service) => [service, tree.sources.filter(({ path, isSpec }) => path.startsWith(`services/${service}/src/`) && !isSpec)]));
  const strangers = [...written].flatMap(([service, sources]) => sources.flatMap((source) => emittedTypes(source, groups)
    .filter((type) => types.includes(type) && !type.startsWith(`${service}.`)).map((type) => `${source.path} writes ${type}, which is another service's`)));
  return [...strangers, ...types.flatMap((type) => {
    const owners = declared.filter((entry) => entry.type === type).map((entry) => entry.service);
    const owner = type.slice(0, type.indexOf('.'));
    if (owners.length !== 1 || owners[0] !== owner) return [`${type} is published by ${owners.join(' and ') || 'no module'}, not by ${owner} alone`];
    return written.get(owner)!.some((source) => emittedTypes(source, groups).includes(type)) ? [] : [`${type} is declared by ${owner} and written nowhere`];
  })];
}

function publishesOf(module: Source | undefined, groups: EventGroups): string[] {
  let list = '';
  if (module) walk(module.ast, (node) => { if (ts.isPropertyAssignment(node) && node.name.getText() === 'publishes') list = node.initializer.getText(); });
  return Object.entries(groups).flatMap(([group, events]) => {
    if (new RegExp(`Object\\.values\\(${group}\\)`).test(list)) return Object.values(events).map(({ type }) => type);
    return [...list.matchAll(new RegExp(`\\b${group}\\.(\\w+)`, 'g'))].flatMap(([, entry]) => events[entry!]?.type ?? []);
  });
}

/** Where an event is handed over to be written: appended without a decision, or as what a holder of data says (`libs/holding`). */
const handedOver = new Set(['definition', 'acknowledges', 'attests']);

/** The types that a file writes: `type: '...'` in what a decision returns, or `definition: group.Entry` and the like where it is handed over. */
function emittedTypes(source: Source, groups: EventGroups): string[] {
  const found: string[] = [];
  walk(source.ast, (node) => {
    if (!ts.isPropertyAssignment(node)) return;
    const [, group, entry] = handedOver.has(node.name.getText()) ? /^(\w+)\.(\w+)$/.exec(node.initializer.getText()) ?? [] : [];
    if (group && entry) found.push(groups[group]?.[entry]?.type ?? '');
    if (node.name.getText() === 'type') walk(node.initializer, (value) => { if (ts.isStringLiteralLike(value)) found.push(value.text); });
  });
  return found;
}

import ts from 'typescript';
import { isSlice } from './service-rules.ts';
import { functionsOf, lineOf, linesOf, type Source, type Tree, walk } from './tree.ts';

const mostSliceLines = 120;
const mostFileLines = 250;
const mostFunctionLines = 70;
/** Drawers into which everything fits: what lies there has no owner. */
const drawers = new Set(['common', 'shared', 'utils', 'util', 'helpers', 'misc']);
const product = /^(?:services|libs)\//;

/** Files and functions that no longer fit a reader's head. Specs list cases, so only their files are measured. */
export function budgetProblems(tree: Tree): string[] {
  return tree.sources.flatMap((source) => {
    const most = isSlice(source.path) ? mostSliceLines : mostFileLines;
    const long = source.isSpec ? [] : functionsOf(source).filter((fn) => linesOf(source, fn) > mostFunctionLines);
    return [
      ...(source.lines > most ? [`${source.path} has ${source.lines} lines, ${most} at most`] : []),
      ...long.map((fn) => `${source.path}:${lineOf(source, fn)} is a function of ${linesOf(source, fn)} lines, ${mostFunctionLines} at most`),
    ];
  });
}

/** Names in kebab-case, no drawers, and one door per library instead of barrels. */
export function fileNameProblems(tree: Tree): string[] {
  return tree.sources.flatMap(({ path }) => {
    const parts = path.split('/');
    const file = parts.at(-1)!;
    return [
      ...(/^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(file) ? [] : [`${path} is not named in kebab-case`]),
      ...[...parts.slice(0, -1), file.split('.')[0]!].filter((part) => drawers.has(part)).map((part) => `${path} stands in a drawer called ${part}`),
      ...(file === 'index.ts' && product.test(path) && !/^libs\/[^/]+\/src\/index\.ts$/.test(path) ? [`${path} is a barrel`] : []),
    ];
  });
}

/** The product speaks through its logger, which takes ids and codes only. */
export function consoleProblems(tree: Tree): string[] {
  return tree.sources.filter(({ path, isSpec }) => product.test(path) && !isSpec).flatMap((source) => found(source, (node) => ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console', 'writes to the console'));
}

/** A decision is handed its instant and its ids: replayed tomorrow, it must decide the same. */
export function clockProblems(tree: Tree): string[] {
  const inDomain = tree.sources.filter(({ path, isSpec }) => /^(?:services|libs)\/[^/]+\/src\/domain\//.test(path) && !isSpec);
  return inDomain.flatMap((source) => [
    ...found(source, (node) => ts.isPropertyAccessExpression(node) && ['Date.now', 'performance.now'].includes(node.getText()), 'reads a clock'),
    ...found(source, (node) => ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0, 'reads a clock'),
    ...found(source, (node) => ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random', 'draws lots'),
    ...found(source, (node) => ts.isIdentifier(node) && node.text === 'randomUUID', 'draws lots'),
  ]);
}

function found(source: Source, isIt: (node: ts.Node) => boolean, what: string): string[] {
  const lines = new Set<number>();
  walk(source.ast, (node) => { if (isIt(node)) lines.add(lineOf(source, node)); });
  return [...lines].map((line) => `${source.path}:${line} ${what}`);
}

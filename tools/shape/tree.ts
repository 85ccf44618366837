import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One TypeScript file of the tree, by its path from the tree's root. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly isSpec: boolean;
  readonly ast: ts.SourceFile;
}

/** Files and folders under a root, read once. What is made by tools (dist, node_modules, state) is not part of it. */
export class Tree {
  readonly root: string;
  readonly files: readonly string[];
  readonly sources: readonly Source[];

  constructor(root: string, folders: readonly string[]) {
    this.root = root;
    this.files = folders.flatMap((folder) => listed(root, folder));
    this.sources = this.files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')).map((path) => sourceOf(path, readFileSync(join(root, path), 'utf8')));
  }

  /** The names of the services: folders with files of their own. */
  get services(): string[] {
    return [...new Set(this.files.flatMap((path) => /^services\/([^/]+)\//.exec(path)?.[1] ?? []))].sort();
  }

  has(path: string): boolean {
    return this.files.includes(path);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  source(path: string): Source | undefined {
    return this.sources.find((source) => source.path === path);
  }

  /** The files below a folder, by their path from it. */
  under(folder: string): string[] {
    return this.files.flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []));
  }
}

/** Calls `visit` for each node of a file, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => { walk(child, visit); });
}

/** Functions and methods with a body. */
export function functionsOf(source: Source): ts.FunctionLikeDeclaration[] {
  const found: ts.FunctionLikeDeclaration[] = [];
  walk(source.ast, (node) => { if (ts.isFunctionLike(node) && 'body' in node && node.body) found.push(node as ts.FunctionLikeDeclaration); });
  return found;
}

export function lineOf(source: Source, node: ts.Node): number {
  return source.ast.getLineAndCharacterOfPosition(node.getStart(source.ast)).line + 1;
}

export function linesOf(source: Source, node: ts.Node): number {
  return source.ast.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(source, node);
}

/** The names by which a class member is decorated: `Command` for `@Command(...)`. */
export function decoratorsOf(node: ts.Node): string[] {
  const decorators = ts.canHaveDecorators(node) ? ts.getDecorators(node) ?? [] : [];
  return decorators.map(({ expression }) => (ts.isCallExpression(expression) ? expression.expression : expression).getText());
}

function sourceOf(path: string, text: string): Source {
  return { path, text, lines: text.replace(/\n$/, '').split('\n').length, isSpec: path.endsWith('.spec.ts'), ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

const made = new Set(['dist', 'node_modules', '.amana', '.nx', 'coverage']);

function listed(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !made.has(name)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? listed(root, path) : [path];
  }).sort();
}

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** A file that cannot be used. Its message names the file and the pointer (RFC 6901) of each fault, never a value. */
export class UnusableFile extends Error {
  readonly path: string;
  readonly faults: readonly { readonly pointer: string; readonly reason: string }[];

  constructor(path: string, faults: readonly { pointer: string; reason: string }[]) {
    const shown = faults.slice(0, 10).map(({ pointer, reason }) => `  ${pointer || '/'}: ${reason}`);
    super([`${path} cannot be used:`, ...shown, ...(faults.length > shown.length ? [`  and ${faults.length - shown.length} more`] : [])].join('\n'));
    this.name = 'UnusableFile';
    this.path = path;
    this.faults = faults;
  }
}

/** Parses `value` as what `path` should hold. Throws UnusableFile with every pointer that is wrong. */
export function parseFileContent<T>(path: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UnusableFile(path, parsed.error.issues.map((issue) => ({ pointer: pointerOf(issue.path), reason: issue.message })));
}

/** Reads a JSON file and checks it. Throws UnusableFile when it is missing, is not JSON or does not fit. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UnusableFile(path, [{ pointer: '', reason: `cannot be read (${error.code ?? 'unknown error'})` }]);
  });
  return parseFileContent(path, schema, parseJson(path, text));
}

/** Writes a file that only its owner may read (0600), whole or not at all. Its folder is made with 0700. */
export async function writePrivateJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A crash between write and rename leaves the old key file, never half of a new one.
  const half = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(half, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(half, path);
}

/** What `path` holds; made by `make` and written privately the first time, so that a second start finds it again. */
export async function keepPrivateJson<T>(path: string, schema: z.ZodType<T>, make: () => Promise<T> | T): Promise<T> {
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept !== undefined) return parseFileContent(path, schema, parseJson(path, kept));
  const made = await make();
  await writePrivateJson(path, made);
  return made;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the fault, which may be a secret.
    throw new UnusableFile(path, [{ pointer: '', reason: 'is not JSON' }]);
  }
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

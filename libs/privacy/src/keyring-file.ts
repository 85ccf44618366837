import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { KEY_BYTES } from './aead.ts';
import { KeyError } from './key-provider.ts';

/** A change takes milliseconds; a lock older than this belongs to a process that died. */
const LOCK_STALE_MS = 30_000;
const LOCK_WAIT_MS = 40_000;
const LOCK_POLL_MS = 20;
const MAX_VERSIONS = 10_000;

const KeyBytes = z.base64().refine((text) => Buffer.from(text, 'base64').length === KEY_BYTES);
const KeyringContent = z
  .strictObject({
    format: z.literal(1),
    /** `null`: destroyed. The newest version is the last one and is never null. */
    wrapping: z.array(KeyBytes.nullable()).min(1).max(MAX_VERSIONS),
    hmacRoot: KeyBytes,
    signingRoot: KeyBytes,
  })
  .refine((content) => content.wrapping.at(-1) !== null);

export type KeyringContent = z.infer<typeof KeyringContent>;

/**
 * Reads a keyring file. Throws `KeyError`: file-readable-by-others when group or world has any right on it,
 * file-malformed when it is not what `createKeyringFile` wrote. ENOENT passes through.
 */
export async function readKeyringFile(file: string): Promise<KeyringContent> {
  const handle = await open(file, 'r');
  try {
    const { mode } = await handle.stat();
    // Windows has no such bits: the folder's own rights are what protects the file there.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new KeyError('file-readable-by-others');
    return parseContent(await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

/** Creates the file with fresh random keys unless another process was first; either way one whole file stands afterwards. */
export async function createKeyringFile(file: string): Promise<void> {
  const content: KeyringContent = { format: 1, wrapping: [randomKey()], hmacRoot: randomKey(), signingRoot: randomKey() };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = await writeDraft(file, content);
  try {
    // link() refuses an existing name, so of two replicas starting at once exactly one set of keys wins.
    await link(draft, file);
    await syncFolder(file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Reads, changes and replaces the file while no other process does. Throws file-locked after 40 s. */
export async function changeKeyringFile(
  file: string,
  change: (content: KeyringContent) => KeyringContent,
): Promise<KeyringContent> {
  const release = await acquireLock(`${file}.lock`);
  try {
    const changed = change(await readKeyringFile(file));
    const draft = await writeDraft(file, changed);
    await rename(draft, file);
    await syncFolder(file);
    return changed;
  } finally {
    await release();
  }
}

export function randomKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

function parseContent(text: string): KeyringContent {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new KeyError('file-malformed');
  }
  const parsed = KeyringContent.safeParse(json);
  // The parser's own message would quote what it read, that is, key bytes.
  if (!parsed.success) throw new KeyError('file-malformed');
  return parsed.data;
}

async function writeDraft(file: string, content: KeyringContent): Promise<string> {
  const draft = join(dirname(file), `.${basename(file)}.${randomUUID()}`);
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(content));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

async function syncFolder(file: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function acquireLock(lock: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  while (Date.now() < deadline) {
    try {
      const owner = randomUUID();
      const handle = await open(lock, 'wx', 0o600);
      await handle.writeFile(owner);
      await handle.close();
      return () => releaseLock(lock, owner);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    await dropStaleLock(lock);
    await delay(LOCK_POLL_MS);
  }
  throw new KeyError('file-locked');
}

/** Removes the lock only if it is still ours: a stalled holder must not free the lock of its successor. */
async function releaseLock(lock: string, owner: string): Promise<void> {
  const holder = await readFile(lock, 'utf8').catch(() => '');
  if (holder === owner) await rm(lock, { force: true });
}

async function dropStaleLock(lock: string): Promise<void> {
  const held = await stat(lock).catch(() => undefined);
  if (held === undefined || Date.now() - held.mtimeMs < LOCK_STALE_MS) return;
  // Of several waiters only one can rename this name away; the others find it gone.
  const aside = `${lock}.${randomUUID()}`;
  await rename(lock, aside).catch(() => undefined);
  await rm(aside, { force: true });
}

/** By shape, not by class: the file system's errors may come from another realm. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hashBytes, readCheckpointText, readNote, readVerifierKey, tilePath, tilesOf } from '@amana/ledger';
import { z } from 'zod';
import { ClientKeyFile, clientKeyPath, TokenSource } from './credentials.ts';
import { runProgram } from './entry-point.ts';
import { readJsonFile } from './json-file.ts';

const usage = 'npm run ledger -- DIR     (the network must be running; its state folder is AMANA_STATE_DIR, else .amana/sandbox)';
const tellEveryMs = 2_000;

/** Answers the JSON of a GET route, as an auditor gets it. */
export type Get = (path: string) => Promise<unknown>;

const Checkpoint = z.object({ size: z.int().positive(), note: z.string(), key: z.string().refine((text) => readVerifierKey(text) !== undefined) })
  .refine(({ size, note }) => readCheckpointText(readNote(note)?.text ?? '')?.size === size);
const TileAnswer = z.object({ hashes: z.base64() });

/**
 * Writes the ledger's newest checkpoint and every tile under it into `dir`, as the C2SP tlog-tiles paths name them: hashes
 * only, no entries. Answers the size, and the key that the log says it signs with. Safe to repeat into the same folder.
 */
export async function exportLedger(dir: string, get: Get, tell: (line: string) => void = () => {}): Promise<{ size: number; key: string }> {
  const { size, note, key } = Checkpoint.parse(await get('/v1/audit/ledger/checkpoint'));
  const tiles = tilesOf(size);
  let toldAtMs = Date.now();
  for (const [done, tile] of tiles.entries()) {
    const { hashes } = TileAnswer.parse(await get(`/v1/audit/ledger/tiles/${tile.level}/${tile.index}`));
    // The log may have grown since the checkpoint was signed.
    const bytes = Buffer.from(hashes, 'base64').subarray(0, tile.width * hashBytes);
    if (bytes.length < tile.width * hashBytes) throw new Error(`${tilePath(tile)} holds fewer hashes than the checkpoint signs`);
    await put(join(dir, tilePath(tile)), bytes);
    if (Date.now() - toldAtMs < tellEveryMs) continue;
    tell(`${done + 1} of ${tiles.length} tiles`);
    toldAtMs = Date.now();
  }
  // Last, so that a folder with a checkpoint is whole.
  await put(join(dir, 'checkpoint'), note);
  return { size, key };
}

async function put(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

if (import.meta.main) {
  await runProgram(async () => {
    const [dir] = process.argv.slice(2);
    if (dir === undefined || process.argv.length !== 3) throw new Error(usage);
    const stateDir = process.env.AMANA_STATE_DIR || resolve('.amana/sandbox');
    const { url } = await readJsonFile(join(stateDir, 'running.json'), z.looseObject({ url: z.url() })).catch(() => { throw new Error(`No network is running from ${stateDir}.\n${usage}`); });
    const { client_id: clientId, privateJwk, tokenUrl } = await readJsonFile(clientKeyPath(stateDir, 'audit-system'), ClientKeyFile);
    const tokens = TokenSource.forClient({ tokenUrl, clientId, privateJwk });
    const get: Get = async (path) => {
      const answer = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${await tokens.token()}` } });
      if (!answer.ok) throw new Error(`GET ${path} was answered ${answer.status}`);
      return await answer.json() as unknown;
    };
    const { size, key } = await exportLedger(resolve(dir), get, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`The checkpoint and hashes of ${size} entries are in ${dir}. The log says that its key is\n  ${key}\nVerify with the key that you were handed when the log began:\n  node libs/ledger/kit/verify-ledger.mjs log ${dir} "$KEY"\n`);
  });
}

import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkpointText, grow, hashLeaf, keyIdOf, noteText, signatureKind, tilePath, TileTree, verifierKeyText } from '@amana/ledger';
import { type Benchmark, checkout, type Session } from './benchmark.ts';
import { type Bar, type Figure, toFigure } from './figure.ts';
import { median } from './statistics.ts';

const entries = 1_000_000;
const entryBytes = 700;
const step = 100_096;
const origin = 'amana/ledger-bench';
const bar: Bar = { of: 'value', atMost: 15 };

/** How long the one-file verifier takes for a log of a million entries, each of which it reads. */
export const ledgerVerify: Benchmark = {
  name: 'ledger-verify',
  async measure(session: Session): Promise<Figure[]> {
    const dir = session.folder();
    session.tell(`Writing a log of ${entries} entries.`);
    const { key, hashSeconds } = await writeLog(dir);
    const values: number[] = [];
    for (let run = 1; run <= session.runs; run += 1) {
      const startedMs = performance.now();
      const { status, stdout } = spawnSync(process.execPath, [join(checkout, 'libs/ledger/kit/verify-ledger.mjs'), 'log', dir, key], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`The verifier refused its own log: ${stdout}`);
      values.push((performance.now() - startedMs) / 1000);
      session.tell(`Run ${run}: ${values.at(-1)!.toFixed(1)} s; SHA-256 over the same entries alone ${hashSeconds.toFixed(1)} s.`);
    }
    return [toFigure({ name: 'ledger-verify', unit: 's', reference: 'SHA-256 over each entry alone, in memory', bar, value: median(values), referenceValue: hashSeconds, note: `${entries} entries of ${entryBytes} bytes, read from the folder` })];
  },
};

async function writeLog(dir: string): Promise<{ key: string; hashSeconds: number }> {
  const put = (path: string, content: Uint8Array | string): void => { mkdirSync(dirname(join(dir, path)), { recursive: true }); writeFileSync(join(dir, path), content); };
  const tiles = new Map<string, Buffer>();
  let hashMs = 0;
  for (let size = 0; size < entries;) {
    const next = Math.min(entries, size + step);
    const bodies = Array.from({ length: next - size }, () => randomBytes(entryBytes));
    const startedMs = performance.now();
    for (const body of bodies) createHash('sha256').update(body).digest();
    hashMs += performance.now() - startedMs;
    for (const { level, index, hashes } of await grow(size, bodies.map(hashLeaf), ({ level: l, index: i }) => Promise.resolve(tiles.get(`${l}/${i}`)!))) tiles.set(`${level}/${index}`, hashes);
    for (let at = 0; at < bodies.length; at += 256) {
      const bundle = bodies.slice(at, at + 256);
      put(tilePath({ level: 'entries', index: (size + at) / 256, width: bundle.length }), Buffer.concat(bundle.flatMap((body) => [Buffer.of(body.length >> 8, body.length & 255), body])));
    }
    size = next;
  }
  for (const [place, hashes] of tiles) {
    const [level, index] = place.split('/').map(Number);
    put(tilePath({ level: level!, index: index!, width: hashes.length / 32 }), hashes);
  }
  const root = await new TileTree(entries, ({ level, index }) => Promise.resolve(tiles.get(`${level}/${index}`)!)).rootAt();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = { name: origin, kind: signatureKind.log, publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url') } as const;
  const text = checkpointText({ origin, size: entries, root });
  put('checkpoint', noteText({ text, signatures: [{ name: origin, keyId: keyIdOf(key), signature: sign(null, Buffer.from(text), privateKey) }] }));
  return { key: verifierKeyText(key), hashSeconds: hashMs / 1000 };
}

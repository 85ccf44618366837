import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verifySignature } from './ed25519.ts';
import { openLocalKeyring } from './local-keyring.ts';
import { receiptKeyOf, signReceipt, verifyReceipt } from './receipt.ts';

const run = promisify(execFile);
const seed = 20_261_124;
const folders: string[] = [];
let file: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyring-'));
  folders.push(folder);
  file = join(folder, 'keys', 'intake.json');
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

describe('the local keyring', () => {
  it('refuses a file that group or world can read', async () => {
    await openLocalKeyring(file);
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(file, mode);
      await expect(openLocalKeyring(file)).rejects.toMatchObject({ code: 'file-readable-by-others' });
    }
  });

  it('refuses a damaged file and never quotes it', async () => {
    await openLocalKeyring(file);
    const content = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    for (const damaged of ['', '{', JSON.stringify({ ...content, hmacRoot: 'planted' }), JSON.stringify({ ...content, wrapping: [null] })]) {
      await writeFile(file, damaged, { mode: 0o600 });
      const error: unknown = await openLocalKeyring(file).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'file-malformed' });
      expect(String((error as Error).stack)).not.toContain('planted');
    }
  });

  it('refuses to unwrap under another context, altered, or cut short', async () => {
    const keys = await openLocalKeyring(file);
    const { wrapped } = await keys.generateDek('case-1');
    await expect(keys.unwrap(wrapped, 'case-2')).rejects.toMatchObject({ code: 'unwrap-refused' });
    await fc.assert(
      fc.asyncProperty(fc.nat(wrapped.length - 1), fc.integer({ min: 1, max: 255 }), async (index, mask) => {
        const altered = Buffer.from(wrapped);
        altered[index] = altered[index]! ^ mask;
        await expect(keys.unwrap(altered, 'case-1')).rejects.toMatchObject({ code: expect.stringMatching(/^(unwrap-refused|unknown-version)$/) });
        await expect(keys.unwrap(wrapped.subarray(0, index), 'case-1')).rejects.toMatchObject({ code: 'unwrap-refused' });
      }),
      { seed },
    );
  });

  it('refuses what another keyring wrapped', async () => {
    const keys = await openLocalKeyring(file);
    const other = await openLocalKeyring(`${file}.other`);
    const { wrapped } = await other.generateDek('case-1');
    await expect(keys.unwrap(wrapped, 'case-1')).rejects.toMatchObject({ code: 'unwrap-refused' });
  });

  it('refuses for ever what was wrapped under a destroyed version, in every process that shares the file', async () => {
    const keys = await openLocalKeyring(file);
    const replica = await openLocalKeyring(file);
    const old = await keys.generateDek('case-1');
    expect(await replica.rotate()).toBe(2);
    const kept = await keys.rewrap(old.wrapped, 'case-1');
    expect(kept.keyVersion).toBe(2);
    await keys.destroyKeyVersion(1);
    for (const provider of [keys, replica, await openLocalKeyring(file)]) {
      await expect(provider.unwrap(old.wrapped, 'case-1')).rejects.toMatchObject({ code: 'version-destroyed' });
      expect(await provider.unwrap(kept.wrapped, 'case-1')).toEqual(old.dek);
    }
  });

  it('refuses to destroy the version in use, and one that never was', async () => {
    const keys = await openLocalKeyring(file);
    await expect(keys.destroyKeyVersion(1)).rejects.toMatchObject({ code: 'version-in-use' });
    await expect(keys.destroyKeyVersion(7)).rejects.toMatchObject({ code: 'unknown-version' });
    await expect(keys.destroyKeyVersion(0)).rejects.toMatchObject({ code: 'unknown-version' });
  });

  it('refuses more purposes than code could have', async () => {
    const keys = await openLocalKeyring(file);
    for (let index = 0; index < 256; index += 1) keys.hmacSync(`purpose-${index}`, 'x');
    expect(() => keys.hmacSync('one-more', 'x')).toThrow(RangeError);
  });

  it('creates its file once, readable by its owner only, with nothing left beside it', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openLocalKeyring(file)));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(file, '..'))).toEqual(['intake.json']);
    expect(new Set(all.map((keys) => keys.hmacSync('p', 'x').toString('hex'))).size).toBe(1);
  });

  it('gives several processes that start at once the same keys, and loses none of their rotations', async () => {
    const script = `
      const { openLocalKeyring } = await import(${JSON.stringify(new URL('./local-keyring.ts', import.meta.url).href)});
      const keys = await openLocalKeyring(process.argv[1]);
      await keys.rotate();
      console.log(keys.hmacSync('p', 'x').toString('hex'));`;
    const starts = Array.from({ length: 4 }, () =>
      run(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, file]),
    );
    const printed = await Promise.all(starts);
    expect(new Set(printed.map(({ stdout }) => stdout)).size).toBe(1);
    expect((await (await openLocalKeyring(file)).generateDek('case-1')).keyVersion).toBe(5);
  });

  it('goes on after a process died while it held the lock', async () => {
    const keys = await openLocalKeyring(file);
    await writeFile(`${file}.lock`, 'gone', { mode: 0o600 });
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${file}.lock`, longAgo, longAgo);
    expect(await keys.rotate()).toBe(2);
    expect(await readdir(join(file, '..'))).toEqual(['intake.json']);
  });

  it('gives back the data key it wrapped, each time another key', async () => {
    const keys = await openLocalKeyring(file);
    const first = await keys.generateDek('case-1');
    expect(await keys.unwrap(first.wrapped, 'case-1')).toEqual(first.dek);
    expect(first.dek).toHaveLength(32);
    expect(first.wrapped.includes(first.dek)).toBe(false);
    expect((await keys.generateDek('case-1')).dek.equals(first.dek)).toBe(false);
  });

  it('keeps pseudonym and signing keys apart by purpose and the same over restart and rotation', async () => {
    const keys = await openLocalKeyring(file);
    const bytes = randomBytes(40);
    const before = [keys.hmacSync('a', bytes), (await keys.publicKey('a')).kid];
    await keys.rotate();
    const again = await openLocalKeyring(file);
    expect([await again.hmac('a', bytes), (await again.publicKey('a')).kid]).toEqual(before);
    expect(keys.hmacSync('b', bytes)).not.toEqual(before[0]);
    const { kid, signature } = await again.sign('a', bytes);
    const { jwk } = await keys.publicKey('a');
    expect([kid, verifySignature(jwk, bytes, signature)]).toEqual([before[1], true]);
    expect(verifySignature((await keys.publicKey('b')).jwk, bytes, signature)).toBe(false);
  });

  it('signs consent receipts with a key that never leaves it', async () => {
    const keys = await openLocalKeyring(file);
    const { kid, jwk } = await keys.publicKey('consent-receipt');
    const claims = {
      jti: '5f0a2f63-1c7d-4f0e-9a35-7d1b7c0e4a21', ver: 1, iss: '6a1f0c52-4b8e-4a35-9d7a-2f1f6d8f0a11',
      recipient: 'b0c4d8e2-93a7-4f16-8e5d-1a2b3c4d5e6f', categories: ['identity'], purpose: 'transfer' as const, iat: 100, exp: 200, lang: 'fr',
    };
    const receipt = await signReceipt(claims, await receiptKeyOf(keys));
    expect(await verifyReceipt(receipt, { keys: new Map([[kid, { ...jwk }]]), now: new Date(150_000) })).toEqual({ ok: true, claims });
    expect(jwk).not.toHaveProperty('d');
  });
});

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestLog } from '@amana/testing';

const size = 700;
const older = 300;
const entryText = (index: number): string => JSON.stringify({ v: 1, salt: `salt-${index}`, action: 'referral.submit', n: index });

const kit = join(import.meta.dirname, '../kit');
const verifiers: readonly (readonly [string, string[]])[] = [
  ['the one-file verifier', [process.execPath, join(kit, 'verify-ledger.mjs')]],
  ['its twin in Python', ['python3', '-B', join(kit, 'verify_ledger.py')]],
];
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stderr.write('SKIPPED, not tested: "its twin in Python", because there is no python3.\n');

const entries = Array.from({ length: size }, (_, index) => Buffer.from(entryText(index)));
const forged = entries.map((entry, index) => (index === 7 ? Buffer.from('{}') : entry));

/** The note with its one signature's bytes (key id and signature) changed, written as it should be. */
function resigned(note: string, change: (bytes: Buffer) => void): string {
  const at = note.lastIndexOf(' ') + 1;
  const bytes = Buffer.from(note.slice(at, -1), 'base64');
  change(bytes);
  return `${note.slice(0, at)}${bytes.toString('base64')}\n`;
}

for (const [who, [command, ...program]] of verifiers) (command === 'python3' && !hasPython ? describe.skip : describe)(who, () => {
  const work = mkdtempSync(join(tmpdir(), 'amana-kit-'));
  const [whole, dir] = [join(work, 'whole'), join(work, 'log')];
  const [log, stranger] = [new TestLog(entries), new TestLog(entries)];
  const { keyText, origin } = log;

  const run = (...args: string[]) => {
    const { status, stdout } = spawnSync(command!, [...program, ...args], { encoding: 'utf8' });
    return { status, line: stdout.trim() };
  };
  const edit = (path: string, change: (bytes: Buffer<ArrayBuffer>) => Uint8Array | string): void => { const file = join(dir, path); writeFileSync(file, change(readFileSync(file))); };
  const flip = (at: number) => (bytes: Buffer<ArrayBuffer>): Buffer => { bytes[at < 0 ? bytes.length + at : at]! ^= 1; return bytes; };
  const text = (change: (note: string) => string) => (bytes: Buffer): string => change(bytes.toString('utf8'));

  beforeAll(() => log.writeTo(whole));
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it.each<[string, () => unknown]>([
    ['a hash of an entry', () => edit('tile/0/001', flip(5_000))],
    ['a hash at the right edge', () => edit('tile/0/002.p/188', flip(-1))],
    ['a hash of an upper level', () => edit('tile/1/000.p/2', flip(40))],
    ['a tile cut short', () => edit('tile/0/000', (bytes) => bytes.subarray(0, -32))],
    ['a tile made longer', () => edit('tile/0/002.p/188', (bytes) => Buffer.concat([bytes, bytes.subarray(0, 32)]))],
    ['a tile gone', () => rmSync(join(dir, 'tile/0/001'))],
    ['an upper tile gone', () => rmSync(join(dir, 'tile/1'), { recursive: true })],
    ['two hashes exchanged', () => edit('tile/0/000', (bytes) => Buffer.concat([bytes.subarray(32, 64), bytes.subarray(0, 32), bytes.subarray(64)]))],
    ['two tiles exchanged', () => { renameSync(join(dir, 'tile/0/000'), join(dir, 'kept')); renameSync(join(dir, 'tile/0/001'), join(dir, 'tile/0/000')); renameSync(join(dir, 'kept'), join(dir, 'tile/0/001')); }],
    ['a larger size', () => edit('checkpoint', text((note) => note.replace('\n700\n', '\n701\n')))],
    ['a smaller size', () => edit('checkpoint', text((note) => note.replace('\n700\n', '\n699\n')))],
    ['another root', () => edit('checkpoint', text((note) => note.replace(/\n[A-Za-z0-9+/]{42}/, `\n${'A'.repeat(42)}`)))],
    ['another log\'s name', () => edit('checkpoint', text((note) => note.replace(`${origin}\n`, 'amana/ledger-else\n')))],
    ['a flipped signature', () => edit('checkpoint', text((note) => resigned(note, (bytes) => { bytes[40]! ^= 1; })))],
    ['a signature of nothing but zeros', () => edit('checkpoint', text((note) => resigned(note, (bytes) => { bytes.fill(0, 4); })))],
    ['a commitment that fits many texts', () => edit('checkpoint', text((note) => resigned(note, (bytes) => { bytes.fill(0, 4, 36); bytes[4] = 1; })))],
    ['no signature', () => edit('checkpoint', text((note) => note.slice(0, note.lastIndexOf('\u2014'))))],
    ['the signature of another key of that name', async () => writeFileSync(join(dir, 'checkpoint'), await stranger.noteAt(size))],
    ['an extension line, which nobody audits', () => edit('checkpoint', text((note) => note.replace('=\n\n', '=\nmore\n\n')))],
    ['a changed entry', () => edit('tile/entries/001', text((bundle) => bundle.replace('referral.submit', 'referral.cancel')))],
    ['an entry gone', () => edit('tile/entries/000', (bundle) => bundle.subarray(2 + bundle.readUInt16BE(0)))],
    ['an entry too many', () => edit('tile/entries/000', (bundle) => Buffer.concat([bundle, bundle.subarray(0, 2 + bundle.readUInt16BE(0))]))],
    ['two entries exchanged', () => edit('tile/entries/000', (bundle) => { const first = 2 + bundle.readUInt16BE(0); const second = first + 2 + bundle.readUInt16BE(first); return Buffer.concat([bundle.subarray(first, second), bundle.subarray(0, first), bundle.subarray(second)]); })],
    ['a bundle cut within an entry', () => edit('tile/entries/002.p/188', (bundle) => bundle.subarray(0, -3))],
    ['a bundle gone', () => rmSync(join(dir, 'tile/entries/002.p'), { recursive: true })],
    ['everything written anew and signed by another key', () => new TestLog(forged).writeTo(dir)],
    ['an older checkpoint put back without its tiles', async () => writeFileSync(join(dir, 'checkpoint'), await log.noteAt(older))],
  ])('finds %s', async (_what, tamper) => {
    rmSync(dir, { recursive: true, force: true });
    cpSync(whole, dir, { recursive: true });
    await tamper();
    const { status, line } = run('log', dir, keyText);
    expect(line).toMatch(/^BROKEN: /);
    expect(status).toBe(1);
  });

  it('finds a rewritten log whose checkpoint nobody has signed, in each of its calls', async () => {
    const unsigned = (note: string): string => resigned(note, (bytes) => { bytes.fill(0, 4); });
    const other = new TestLog(forged, origin, log);
    await other.writeTo(dir);
    edit('checkpoint', text(unsigned));
    const [note, file] = [join(work, 'unsigned'), join(work, 'unsigned.json')];
    writeFileSync(note, unsigned(await other.noteAt(older)));
    const proof = (await (await other.treeAt(size)).inclusion(7)).map((hash) => hash.toString('base64'));
    writeFileSync(file, JSON.stringify({ index: 7, size, leaf: forged[7]!.toString('base64'), proof, note: unsigned(await other.noteAt(size)) }));
    for (const call of [['log', dir], ['consistency', join(whole, 'checkpoint'), dir], ['consistency', note, whole], ['entry', file]]) {
      expect([call, run(...call, keyText)]).toEqual([call, { status: 1, line: 'BROKEN: the checkpoint is not signed by the key' }]);
    }
  });

  it('refuses what is no proof, however it is written, and what is no text', async () => {
    const file = join(work, 'odd.json');
    const good = { index: 3, size, leaf: entries[3]!.toString('base64'), proof: (await (await log.treeAt(size)).inclusion(3)).map((hash) => hash.toString('base64')), note: await log.noteAt(size) };
    const odd: (string | Buffer)[] = [
      ...[{ leaf: [good.leaf] }, { leaf: null }, { leaf: true }, { note: [good.note] }, { proof: good.proof.map((hash) => [hash]) }, { size: true }, { size: 1e300 }, { index: 3.5 }, { more: 1 }, { note: `\ud800${good.note}` }].map((change) => JSON.stringify({ ...good, ...change })),
      JSON.stringify(good).replace('{', '{"more":NaN,'), JSON.stringify(good).replace('"index":3', '"index":-Infinity'), `{"more":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, `{"index":${'9'.repeat(5_000)}}`, `\ufeff${JSON.stringify(good)}`, '[]', '7', '',
      Buffer.concat([Buffer.from(JSON.stringify(good).slice(0, -1)), Buffer.from(',"x":"'), Buffer.of(0xff), Buffer.from('"}')]),
    ];
    for (const content of odd) {
      writeFileSync(file, content);
      expect([String(content).slice(0, 40), run('entry', file, keyText)]).toEqual([String(content).slice(0, 40), { status: 1, line: expect.stringMatching(/^BROKEN: [^\n]*$/) }]);
    }
    for (const note of [`${good.note}\n`, good.note.replaceAll('\n', '\r\n'), `${good.note}no signature\n`, `${good.note}\u2014 x\u0000y AAAA\n`, good.note + good.note.slice(good.note.lastIndexOf('\u2014')).repeat(32)]) {
      writeFileSync(file, JSON.stringify({ ...good, note }));
      expect([note.slice(-20), run('entry', file, keyText).status]).toEqual([note.slice(-20), 1]);
    }
    for (const [index, written] of [[3, '3.0'], [3, '3e0']] as const) {
      writeFileSync(file, JSON.stringify(good).replace(`"index":${index}`, `"index":${written}`));
      expect([written, run('entry', file, keyText).status]).toEqual([written, 0]);
    }
    expect(run('entry', work, keyText).status).toBe(2);
    expect(run('log', join(work, 'nowhere'), keyText).status).toBe(2);
  });

  it('lets no entry write a verdict of its own', async () => {
    const [loud, file] = [new TestLog([Buffer.from('x\nOK: all is well \u001b[2J \u062d'), ...entries.slice(0, 3)]), join(work, 'loud.json')];
    writeFileSync(file, JSON.stringify({ index: 0, size: 4, leaf: loud.entries[0]!.toString('base64'), proof: (await (await loud.treeAt(4)).inclusion(0)).map((hash) => hash.toString('base64')), note: await loud.noteAt(4) }));
    expect(run('entry', file, loud.keyText)).toEqual({ status: 0, line: 'OK: entry 0 of 4: "x\\nOK: all is well \\u001b[2J \\u062d"' });
  });

  it('finds a log that was written anew and signed by its own key, by an older checkpoint', async () => {
    const note = join(work, 'older');
    writeFileSync(note, await log.noteAt(older));
    await new TestLog(forged, log.origin, log).writeTo(dir);
    expect(run('log', dir, keyText).status).toBe(0);
    expect(run('consistency', note, dir, keyText)).toEqual({ status: 1, line: 'BROKEN: the first 300 entries are not those that the older checkpoint signs' });
    await log.writeTo(dir, older - 1);
    expect(run('consistency', note, dir, keyText)).toEqual({ status: 1, line: 'BROKEN: the log has shrunk from 300 to 299 entries' });
    expect(run('consistency', note, whole, keyText)).toEqual({ status: 0, line: 'OK: the first 300 of 700 entries are as they were' });
  });

  it('finds an entry that is not where its proof says, and a proof for another tree', async () => {
    const [index, file] = [421, join(work, 'proof.json')];
    const tree = await log.treeAt(size);
    const proof = { index, size, leaf: entries[index]!.toString('base64'), proof: (await tree.inclusion(index)).map((hash) => hash.toString('base64')), note: await log.noteAt(size) };
    const check = (change: object) => { writeFileSync(file, JSON.stringify({ ...proof, ...change })); return run('entry', file, keyText); };
    for (const change of [
      { index: 420 }, { index: size }, { index: -1 }, { index: true }, { size: size - 1 }, { leaf: entries[420]!.toString('base64') }, { leaf: 7 }, { proof: proof.proof.slice(1) }, { proof: [...proof.proof, proof.proof[0]] },
      { proof: proof.proof.toReversed() }, { proof: 'none' }, { note: await stranger.noteAt(size) }, { note: await log.noteAt(older) }, { note: undefined },
    ]) expect([change, check(change).status]).toEqual([change, 1]);
    writeFileSync(file, 'null');
    expect(run('entry', file, keyText).status).toBe(1);
    expect(check({})).toEqual({ status: 0, line: `OK: entry 421 of 700: ${JSON.stringify(entryText(index))}` });
  });

  it('accepts the log as it was written, with and without its entries', () => {
    expect(run('log', whole, keyText)).toEqual({ status: 0, line: 'OK: 700 entries under one signed root, 700 of them read' });
    rmSync(dir, { recursive: true, force: true });
    cpSync(whole, dir, { recursive: true });
    rmSync(join(dir, 'tile/entries'), { recursive: true });
    expect(run('log', dir, keyText)).toEqual({ status: 0, line: 'OK: 700 entries under one signed root' });
  });

  it('says how it is called, and checks nothing with a key that does not match its id', () => {
    expect(run('log').status).toBe(2);
    expect(run('log', whole, keyText.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toEqual({ status: 2, line: 'NOT CHECKED: KEY does not match its id' });
  });
});

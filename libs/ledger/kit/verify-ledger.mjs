// Verifies a ledger without its server, with nothing but this file and Node 20 or later. It shares no code with what wrote the log.
//   node verify-ledger.mjs log DIR KEY                 the folder's hashes make up the tree that its checkpoint signs
//   node verify-ledger.mjs entry FILE KEY              an entry's bytes stand in the tree that the checkpoint beside them signs
//   node verify-ledger.mjs consistency NOTE DIR KEY    the tree of an older checkpoint is the beginning of the folder's
// KEY is the text you were handed when the log began (name+id+key), never one that came with the data.
// Prints one line and ends with 0 (OK), 1 (BROKEN) or 2 (the call is wrong).
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const WIDTH = 256;
const HASH = 32;
const MAX_SIGNATURES = 32;

class Broken extends Error {}
class WrongCall extends Error {}
const broken = (why) => { throw new Broken(why); };
const sha256 = (...parts) => { const hash = createHash('sha256'); for (const part of parts) hash.update(part); return hash.digest(); };
/** The bytes, or undefined for text that is not the one way to write them. */
const fromBase64 = (text) => { const bytes = Buffer.from(text, 'base64'); return bytes.toString('base64') === text ? bytes : undefined; };
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);
/** The points whose order divides 8, without their sign bit: under such a key, or with such a commitment, one signature fits many texts. */
const SMALL_ORDER = new Set([
  '00'.repeat(32), `01${'00'.repeat(31)}`, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`,
]);
const isSmallOrder = (point) => { const masked = Buffer.from(point); masked[31] &= 0x7f; return SMALL_ORDER.has(masked.toString('hex')); };
/** A name is printable ASCII without space and plus sign. */
const NAME = '[!-*,-~]+';

/** What the caller names: a file that cannot be read was not checked, one that is no UTF-8 is broken. */
function readText(path) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new WrongCall(`${path} cannot be read (${error.code})`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return broken(`${path} is no UTF-8 text`);
  }
}

function readTile(dir, path) {
  try {
    return readFileSync(join(dir, path));
  } catch (error) {
    return broken(error.code === 'ENOENT' ? `${path} is missing` : `${path} cannot be read`);
  }
}
const leafHash = (bytes) => sha256(LEAF, bytes);
const nodeHash = (left, right) => sha256(NODE, left, right);

/** The public key of `name+id+base64(1, key)`, after its id was recomputed. */
function readKey(text) {
  const [, name, id, base64] = new RegExp(`^(${NAME})\\+([0-9a-f]{8})\\+([A-Za-z0-9+/]{44})$`).exec(text) ?? [];
  const bytes = fromBase64(base64 ?? '');
  if (name === undefined || bytes?.[0] !== 1) throw new WrongCall('KEY is no Ed25519 key of a log');
  const keyId = sha256(`${name}\n`, bytes).subarray(0, 4);
  if (keyId.toString('hex') !== id) throw new WrongCall('KEY does not match its id');
  if (isSmallOrder(bytes.subarray(1))) throw new WrongCall('KEY is no key that anybody could sign with alone');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
  return { name, keyId, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

/** The size and root that a note signs. */
function readCheckpoint(note, key) {
  const end = note.lastIndexOf('\n\n');
  // oxlint-disable-next-line no-control-regex -- a note may hold no control character but the newline
  if (end < 0 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]/.test(note)) broken('the checkpoint is no signed note');
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n').map((line) => {
    const [, name, base64] = new RegExp(`^\u2014 (${NAME}) ([A-Za-z0-9+/=]+)$`).exec(line) ?? [];
    const bytes = fromBase64(base64 ?? '');
    return name === undefined || bytes === undefined ? broken('the checkpoint is no signed note') : { name, bytes };
  });
  if (lines.length > MAX_SIGNATURES) broken('the checkpoint is no signed note');
  const signed = lines.some(({ name, bytes }) => name === key.name && bytes.length === 4 + 64 && bytes.subarray(0, 4).equals(key.keyId)
    && !isSmallOrder(bytes.subarray(4, 36)) && verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4)));
  if (!signed) broken('the checkpoint is not signed by the key');
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  const hash = fromBase64(root ?? '');
  if (hash === undefined) broken('the note is no checkpoint');
  if (origin !== key.name) broken('the checkpoint is that of another log');
  return { size: Number(size), root: hash };
}

/** The tree hash over a list of hashes (RFC 6962): pairs from the left, an odd one moves up as it is. */
function rootOf(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2) above.push(nodeHash(level[at], level[at + 1]));
    if (level.length % 2 === 1) above.push(level.at(-1));
    level = above;
  }
  return level[0] ?? sha256();
}

const pathOf = (level, index, width) => {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0').match(/.{3}/g);
  return join('tile', String(level), ...digits.map((group, at) => (at === digits.length - 1 ? group : `x${group}`))) + (width === WIDTH ? '' : join('.p', String(width)));
};

/** All hashes of one level of a log of `count` hashes there, from its tiles. */
function readLevel(dir, level, count) {
  const hashes = [];
  for (let index = 0; index * WIDTH < count; index += 1) {
    const width = Math.min(WIDTH, count - index * WIDTH);
    const path = pathOf(level, index, width);
    const tile = readTile(dir, path);
    if (tile.length !== width * HASH) broken(`${path} has ${tile.length} bytes instead of ${width * HASH}`);
    for (let at = 0; at < width; at += 1) hashes.push(tile.subarray(at * HASH, (at + 1) * HASH));
  }
  return hashes;
}

/** The leaf hashes of the folder, once every tile above them was found to follow from them. */
function readTree(dir, size) {
  const leaves = readLevel(dir, 0, size);
  let below = leaves;
  for (let level = 1; below.length >= WIDTH; level += 1) {
    const count = Math.floor(below.length / WIDTH);
    const stored = readLevel(dir, level, count);
    for (let index = 0; index < count; index += 1) {
      if (!rootOf(below.slice(index * WIDTH, (index + 1) * WIDTH)).equals(stored[index])) broken(`tile level ${level}: hash ${index} does not follow from the tile below it`);
    }
    below = stored;
  }
  return leaves;
}

/** Entries, where the folder holds them: a full bundle or a partial one for each tile of leaves. */
function checkBundles(dir, leaves) {
  if (!existsSync(join(dir, 'tile', 'entries'))) return 0;
  let entries = 0;
  for (let index = 0; index * WIDTH < leaves.length; index += 1) {
    const width = Math.min(WIDTH, leaves.length - index * WIDTH);
    const path = pathOf('entries', index, width);
    const bundle = readTile(dir, path);
    let at = 0;
    for (let place = index * WIDTH; place < index * WIDTH + width; place += 1) {
      const length = at + 2 <= bundle.length ? bundle.readUInt16BE(at) : -1;
      if (length < 0 || at + 2 + length > bundle.length) broken(`${path} ends within an entry`);
      if (!leafHash(bundle.subarray(at + 2, at + 2 + length)).equals(leaves[place])) broken(`entry ${place} is not the one that was logged`);
      at += 2 + length;
      entries += 1;
    }
    if (at !== bundle.length) broken(`${path} holds more than its entries`);
  }
  return entries;
}

/** The root from a leaf's hash and its path, by the recursion of RFC 6962; undefined where the path has the wrong length. */
function rootFrom(hash, index, size, path) {
  if (size === 1) return path.length === 0 ? hash : undefined;
  if (path.length === 0) return undefined;
  let split = 1;
  while (split * 2 < size) split *= 2;
  const [rest, sibling] = [path.slice(0, -1), path.at(-1)];
  const inner = index < split ? rootFrom(hash, index, split, rest) : rootFrom(hash, index - split, size - split, rest);
  if (inner === undefined) return undefined;
  return index < split ? nodeHash(inner, sibling) : nodeHash(sibling, inner);
}

/** The five fields of a proof, and nothing else. */
function readProof(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    broken('the file is no JSON');
  }
  const fields = typeof given === 'object' && given !== null ? Object.keys(given).sort().join() : '';
  const { index, leaf, size, proof, note } = given ?? {};
  const strings = Array.isArray(proof) && [leaf, note, ...proof].every((value) => typeof value === 'string');
  if (fields !== 'index,leaf,note,proof,size' || !strings || !Number.isSafeInteger(index) || !Number.isSafeInteger(size)) broken('the file is no proof');
  return given;
}

/** An entry's bytes as one line of ASCII, so that no entry can write a verdict of its own. */
function quoted(bytes) {
  return JSON.stringify(bytes.toString('utf8')).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const commands = {
  log(dir, keyText) {
    const { size, root } = readCheckpoint(readText(join(dir, 'checkpoint')), readKey(keyText));
    const leaves = readTree(dir, size);
    if (!rootOf(leaves).equals(root)) broken('the hashes do not make up the root that the checkpoint signs');
    const entries = checkBundles(dir, leaves);
    return `${size} entries under one signed root${entries > 0 ? `, ${entries} of them read` : ''}`;
  },
  entry(file, keyText) {
    const key = readKey(keyText);
    const { index, leaf, size, proof, note } = readProof(readText(file));
    const checkpoint = readCheckpoint(note, key);
    if (checkpoint.size !== size || index < 0 || index >= size) broken('the proof is not for the tree of its checkpoint');
    const [bytes, hashes] = [fromBase64(leaf), proof.map(fromBase64)];
    if (hashes.some((hash) => hash?.length !== HASH)) broken('the proof holds what is no hash');
    const root = bytes && rootFrom(leafHash(bytes), index, size, hashes);
    if (root === undefined || !root.equals(checkpoint.root)) broken('the entry is not in the tree that the checkpoint signs');
    return `entry ${index} of ${size}: ${quoted(bytes)}`;
  },
  consistency(noteFile, dir, keyText) {
    const key = readKey(keyText);
    const older = readCheckpoint(readText(noteFile), key);
    const newer = readCheckpoint(readText(join(dir, 'checkpoint')), key);
    if (older.size === 0) broken('the older checkpoint is that of an empty log, with which every log begins');
    if (older.size > newer.size) broken(`the log has shrunk from ${older.size} to ${newer.size} entries`);
    const leaves = readTree(dir, newer.size);
    if (!rootOf(leaves).equals(newer.root)) broken('the hashes do not make up the root that the checkpoint signs');
    if (!rootOf(leaves.slice(0, older.size)).equals(older.root)) broken(`the first ${older.size} entries are not those that the older checkpoint signs`);
    return `the first ${older.size} of ${newer.size} entries are as they were`;
  },
};

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
if (!command || args.length !== command.length) {
  console.error(readFileSync(import.meta.filename ?? new URL(import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('//   ')).map((line) => line.slice(5)).join('\n'));
  process.exit(2);
}
try {
  console.log(`OK: ${command(...args)}`);
} catch (error) {
  const wrongCall = error instanceof WrongCall;
  console.log(`${wrongCall ? 'NOT CHECKED' : 'BROKEN'}: ${error.message}`);
  process.exit(wrongCall ? 2 : 1);
}

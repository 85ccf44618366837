// A witness of the ledger: it signs what it has seen, and never signs a log that takes back what it has shown before.
//   node witness.mjs --log KEY --name NAME [--state DIR] [--host 127.0.0.1] [--port 7410]
// Nothing but this file and Node 20 or later. KEY is the log's (name+id+key), handed over by people, not by the log. NAME is
// yours, such as witness.example/1. The first start draws your key into DIR (kept for you alone) and prints its public half:
// give that to the network and to whoever audits it. The protocol is C2SP tlog-witness with cosignature/v1;
// GET /checkpoint shows the newest checkpoint that was signed here, to anyone.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_PROOF_LINES = 63;
const HASH_BYTES = 32;
const kinds = { log: 1, witness: 4 };

class Answer extends Error {
  constructor(status, text, type = 'text/plain; charset=utf-8') {
    super(text);
    this.status = status;
    this.type = type;
  }
}

const sha256 = (...parts) => { const hash = createHash('sha256'); for (const part of parts) hash.update(part); return hash.digest(); };
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const fromBase64 = (text) => { const bytes = Buffer.from(text, 'base64'); return bytes.toString('base64') === text ? bytes : undefined; };
const keyIdOf = (name, kind, publicKey) => sha256(`${name}\n`, Buffer.of(kind), publicKey).subarray(0, 4);
const spkiOf = (raw) => createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' });

function readLogKey(text) {
  const [, name, id, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text ?? '') ?? [];
  const bytes = fromBase64(base64 ?? '');
  if (name === undefined || bytes?.[0] !== kinds.log || keyIdOf(name, kinds.log, bytes.subarray(1)).toString('hex') !== id) throw new RangeError('--log is not the key of a log (name+id+key)');
  return { name, id: Buffer.from(id, 'hex'), publicKey: spkiOf(bytes.subarray(1)) };
}

/** Size, root and text of a checkpoint that the log's key has signed; 404 for another log, 403 for another key. */
function readCheckpoint(note, log) {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  if (end < 0 || !note.endsWith('\n') || origin === undefined) throw new Answer(400, 'no checkpoint\n');
  if (origin !== log.name) throw new Answer(404, 'another log\n');
  const signed = note.slice(end + 2, -1).split('\n').some((line) => {
    const [, name, base64] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = fromBase64(base64 ?? '');
    return name === log.name && bytes !== undefined && bytes.subarray(0, 4).equals(log.id) && verify(null, Buffer.from(text), log.publicKey, bytes.subarray(4));
  });
  if (!signed) throw new Answer(403, 'not signed by the log\n');
  return { size: Number(size), root: Buffer.from(root, 'base64'), text, note };
}

/** Old size, proof and note of an add-checkpoint request. */
function readRequest(body) {
  const [head, ...rest] = body.split('\n\n');
  const [first, ...lines] = head.split('\n');
  const [, old] = /^old (0|[1-9]\d{0,14})$/.exec(first) ?? [];
  const proof = lines.map(fromBase64);
  if (old === undefined || rest.length === 0 || lines.length > MAX_PROOF_LINES || proof.some((hash) => hash?.length !== HASH_BYTES)) throw new Answer(400, 'no add-checkpoint request\n');
  return { old: Number(old), proof, note: rest.join('\n\n') };
}

/**
 * The two roots that a proof of RFC 6962, section 2.1.2 leads to, by the recursion that builds it: `known` is the older
 * tree's root, for the proof leaves it out where the older tree is a whole branch. Undefined where the proof has the wrong length.
 */
function rootsFrom(old, size, proof, known, whole) {
  if (old === size) {
    if (whole) return proof.length === 0 ? [known, known] : undefined;
    return proof.length === 1 ? [proof[0], proof[0]] : undefined;
  }
  if (proof.length === 0) return undefined;
  let split = 1;
  while (split * 2 < size) split *= 2;
  const [rest, sibling] = [proof.slice(0, -1), proof.at(-1)];
  if (old <= split) {
    const left = rootsFrom(old, split, rest, known, whole);
    return left && [left[0], nodeHash(left[1], sibling)];
  }
  const right = rootsFrom(old - split, size - split, rest, known, false);
  return right && [nodeHash(sibling, right[0]), nodeHash(sibling, right[1])];
}

/** Written, flushed and renamed: a crash leaves the old file or the new one. */
function keep(dir, name, content, mode = 0o600) {
  const draft = join(dir, `${name}.new`);
  const file = openSync(draft, 'w', mode);
  writeSync(file, content);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, join(dir, name));
  const folder = openSync(dir, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** One program a folder: two that read the same state could sign two histories. */
function claim(dir) {
  const lock = join(dir, 'running');
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
  let alive = false;
  try { alive = holder > 0 && holder !== process.pid && process.kill(holder, 0); } catch (error) { alive = error.code === 'EPERM'; }
  if (alive) throw new RangeError(`A witness already runs on ${dir} (process ${holder})`);
  keep(dir, 'running', String(process.pid));
  process.once('exit', () => rmSync(lock, { force: true }));
}

function openKey(dir) {
  if (!existsSync(join(dir, 'key.pem'))) keep(dir, 'key.pem', generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const privateKey = createPrivateKey(readFileSync(join(dir, 'key.pem')));
  return { privateKey, raw: Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x, 'base64url') };
}

function main() {
  const { values } = parseArgs({ options: { log: { type: 'string' }, name: { type: 'string' }, state: { type: 'string', default: 'witness' }, host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '7410' } } });
  const log = readLogKey(values.log);
  if (!/^[^\s+]+$/.test(values.name ?? '')) throw new RangeError('--name is missing, or holds a space or a plus sign');
  const dir = resolve(values.state);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  claim(dir);
  const { privateKey, raw } = openKey(dir);
  const keyId = keyIdOf(values.name, kinds.witness, raw);
  const seen = () => (existsSync(join(dir, 'checkpoint')) ? readCheckpoint(readFileSync(join(dir, 'checkpoint'), 'utf8'), log) : undefined);
  seen();

  /** Without a pause from the look at what was seen to the file that says it anew: no other request comes between. */
  const addCheckpoint = (body) => {
    const { old, proof, note } = readRequest(body);
    const next = readCheckpoint(note, log);
    if (old > next.size) throw new Answer(400, 'the old size is above the new one\n');
    const last = seen();
    if (old !== (last?.size ?? 0)) throw new Answer(409, `${last?.size ?? 0}\n`, 'text/x.tlog.size');
    if (last && old === next.size && !last.root.equals(next.root)) throw new Answer(409, `${last.size}\n`, 'text/x.tlog.size');
    // An empty log is the beginning of every one: there is nothing to prove.
    const roots = old > 0 ? rootsFrom(old, next.size, proof, last.root, true) : proof.length === 0 && [undefined, next.root];
    if (!roots || (old > 0 && !roots[0].equals(last.root)) || !roots[1].equals(next.root)) throw new Answer(422, 'the proof does not hold\n');
    const time = Math.floor(Date.now() / 1000);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${next.text}`), privateKey);
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(time));
    keep(dir, 'checkpoint', note);
    return new Answer(200, `\u2014 ${values.name} ${Buffer.concat([keyId, stamp, signature]).toString('base64')}\n`);
  };

  const answerTo = (request, body) => {
    if (request.method === 'POST' && request.url === '/add-checkpoint') return addCheckpoint(body);
    if (request.method === 'GET' && request.url === '/checkpoint') { const last = seen(); return last ? new Answer(200, last.note) : new Answer(404, 'nothing was signed yet\n'); }
    return new Answer(404, 'no such thing\n');
  };

  const server = createServer((request, response) => {
    const chunks = [];
    let bytes = 0;
    request.on('data', (chunk) => { bytes += chunk.length; if (bytes <= MAX_BODY_BYTES) chunks.push(chunk); });
    request.on('end', () => {
      let answer;
      try {
        answer = bytes > MAX_BODY_BYTES ? new Answer(413, 'too large\n') : answerTo(request, Buffer.concat(chunks).toString('utf8'));
      } catch (error) {
        answer = error instanceof Answer ? error : new Answer(500, 'the witness could not keep it\n');
        if (!(error instanceof Answer)) console.error(error.message);
      }
      response.writeHead(answer.status, { 'content-type': answer.type, 'cache-control': 'no-store' }).end(answer.message);
    });
  });
  server.requestTimeout = 10_000;
  server.listen(Number(values.port), values.host, () => {
    console.log(`witness key ${values.name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(kinds.witness), raw]).toString('base64')}`);
    console.log(`serving http://${values.host}:${server.address().port}`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { server.close(() => process.exit(0)); server.closeAllConnections(); });
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exit(2);
}

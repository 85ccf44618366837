import { createHash } from 'node:crypto';

/** Kinds of signatures in a note (C2SP signed-note). */
export const signatureKind = { log: 0x01, witness: 0x04 } as const;

export interface NoteKey {
  /** Without spaces and without a plus sign. */
  readonly name: string;
  readonly kind: (typeof signatureKind)[keyof typeof signatureKind];
  /** The 32 bytes of an Ed25519 public key. */
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** Tells keys of one name apart; no proof of anything. */
  readonly keyId: number;
  readonly signature: Uint8Array;
}

export interface Note {
  /** What is signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** What a log says of itself at one moment. */
export interface Checkpoint {
  /** Which log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

const maxNoteBytes = 64 * 1024;
const maxSignatures = 32;
const hashLength = 32;

/** The first four bytes of SHA-256(name, newline, kind, public key). */
export function keyIdOf({ name, kind, publicKey }: NoteKey): number {
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(kind)).update(publicKey).digest().readUInt32BE(0);
}

/** A key as it is written into a verifier's list: `name+id+key`. */
export function verifierKeyText(key: NoteKey): string {
  return `${key.name}+${keyIdOf(key).toString(16).padStart(8, '0')}+${Buffer.concat([Buffer.of(key.kind), key.publicKey]).toString('base64')}`;
}

/** Reads what `verifierKeyText` writes; undefined for anything else, a wrong id included. */
export function readVerifierKey(text: string): NoteKey | undefined {
  const [, name, id, bytes] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const [kind, ...publicKey] = Buffer.from(bytes!, 'base64');
  if (!Object.values(signatureKind).some((known) => known === kind)) return undefined;
  const key: NoteKey = { name, kind: kind as NoteKey['kind'], publicKey: Uint8Array.from(publicKey) };
  return keyIdOf(key) === Number.parseInt(id!, 16) ? key : undefined;
}

/** The text of a checkpoint (C2SP tlog-checkpoint), without extension lines: what a log signs. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** A checkpoint's text read back; undefined for anything that is not exactly one. */
export function readCheckpointText(text: string): Checkpoint | undefined {
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  if (origin === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  const hash = Buffer.from(root!, 'base64');
  return hash.length === hashLength && hash.toString('base64') === root ? { origin, size: Number(size), root: hash } : undefined;
}

/** The note: its text, an empty line, a line for each signature. */
export function noteText({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(keyId);
    return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Reads a note; undefined for a text that is none. Nothing is verified by it. */
export function readNote(note: string): Note | undefined {
  // oxlint-disable-next-line no-control-regex -- a note may hold no control character but the newline
  if (Buffer.byteLength(note) > maxNoteBytes || /[\u0000-\u0009\u000b-\u001f]/.test(note) || !note.isWellFormed()) return undefined;
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return undefined;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > maxSignatures) return undefined;
  const signatures = lines.map(readSignature);
  return signatures.every((signature) => signature !== undefined) ? { text: note.slice(0, end + 1), signatures } : undefined;
}

/** Whether a signature is that of these bytes under an Ed25519 key. */
export type VerifySignature = (key: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** The checkpoint of a note that `key` has signed under its own name; undefined for any other text. */
export function checkpointOf(noteText: string, key: NoteKey, verify: VerifySignature): Checkpoint | undefined {
  const note = readNote(noteText);
  const checkpoint = note && readCheckpointText(note.text);
  const signed = note?.signatures.some(({ name, keyId, signature }) => name === key.name && keyId === keyIdOf(key) && verify(jwkOf(key), Buffer.from(note.text), signature));
  return signed && checkpoint?.origin === key.name ? checkpoint : undefined;
}

/** A note's key in the form of a JWK. */
export function jwkOf({ publicKey }: NoteKey): Parameters<VerifySignature>[0] {
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
}

function readSignature(line: string): NoteSignature | undefined {
  const [, name, base64] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  if (name === undefined) return undefined;
  const bytes = Buffer.from(base64!, 'base64');
  return bytes.length > 4 && bytes.toString('base64') === base64 ? { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) } : undefined;
}

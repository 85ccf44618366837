import { describe, expect, it } from '@jest/globals';
import { checkpointText, keyIdOf, noteText, readCheckpointText, readNote, readVerifierKey, signatureKind, verifierKeyText } from './notes.ts';

const root = Buffer.alloc(32, 7);
const text = checkpointText({ origin: 'amana.example/ledger', size: 20_852, root });
const key = { name: 'amana.example/ledger', kind: signatureKind.log, publicKey: Buffer.alloc(32, 3) };
const signature = { name: key.name, keyId: keyIdOf(key), signature: Buffer.alloc(64, 9) };
const note = noteText({ text, signatures: [signature] });

describe('a signed note', () => {
  it.each([
    ['without a signature', `${text}\n`],
    ['without the empty line', note.replace('\n\n', '\n')],
    ['cut off', note.slice(0, -1)],
    ['with a control character', note.replace('amana', 'am\tana')],
    ['with a hyphen for the dash', note.replace('\u2014', '-')],
    ['whose signature is no base64', note.replace(/(\S)\S\n$/, '$1!\n')],
    ['with more signatures than anybody needs', noteText({ text, signatures: Array<typeof signature>(33).fill(signature) })],
  ])('is none %s', (_how, broken) => {
    expect(readNote(broken)).toBeUndefined();
  });

  it('is read back as it was written, and keeps signatures of keys that nobody knows', () => {
    const stranger = { name: 'witness.example/w', keyId: 4_000_000_000, signature: Buffer.alloc(72, 1) };
    const read = readNote(noteText({ text, signatures: [signature, stranger] }))!;
    expect(read.text).toBe(text);
    expect(read.signatures).toEqual([signature, stranger]);
  });

  it.each([
    ['a size with a leading zero', text.replace('20852', '020852')],
    ['a size beyond what can be counted', text.replace('20852', '9999999999999999')],
    ['a root of another length', text.replace(/[^\n]+\n$/, `${Buffer.alloc(31).toString('base64')}\n`)],
    ['no origin', text.slice(text.indexOf('\n'))],
    ['no last newline', text.slice(0, -1)],
  ])('is no checkpoint with %s', (_what, broken) => {
    expect(readCheckpointText(broken)).toBeUndefined();
  });

  it('carries a checkpoint', () => {
    expect(readCheckpointText(text)).toEqual({ origin: 'amana.example/ledger', size: 20_852, root });
  });

  it('names its key by the specification\'s id, which a list of verifiers repeats', () => {
    const published = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const known = readVerifierKey(published)!;
    expect([keyIdOf(known), verifierKeyText(known)]).toEqual([0xc7_4f_20_a3, published]);
    expect(readVerifierKey(published.replace('c74f20a3', 'c74f20a4'))).toBeUndefined();
    expect(readVerifierKey(published.replace('+AR', '+BR'))).toBeUndefined();
  });
});

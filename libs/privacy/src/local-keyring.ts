import { createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { AeadError, decryptAead, deriveKey, encryptAead, KEY_BYTES, macOf, NONCE_BYTES, TAG_BYTES } from './aead.ts';
import type { AeadInput } from './aead.ts';
import { signingKeyFromSeed } from './ed25519.ts';
import type { Ed25519SigningKey } from './ed25519.ts';
import { KeyError } from './key-provider.ts';
import type { KeyProvider, WrappedKey } from './key-provider.ts';
import { changeKeyringFile, codeOf, createKeyringFile, randomKey, readKeyringFile } from './keyring-file.ts';
import type { KeyringContent } from './keyring-file.ts';

const FORMAT = 1;
const HEADER_BYTES = 5;
const WRAPPED_BYTES = HEADER_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES;
/** Purposes are written in code, a few dozen at most; more means that data was passed as a purpose. */
const MAX_PURPOSES = 256;

export interface LocalKeyring extends KeyProvider {
  /** Adds a wrapping version and answers its number; new data keys use it, old ones stay readable. */
  rotate(): Promise<number>;
}

/**
 * Opens the keyring file, creating it (mode 0600, random keys) at first use. The keys stand in it in clear: whoever
 * reads the file reads everything, so this is for the sandbox and small sites; elsewhere the keys live with a provider
 * on another host. Safe when several processes open or create it at once, and each sees another's rotation or
 * destruction from its next call on. Throws `KeyError`: file-readable-by-others, file-malformed.
 */
export async function openLocalKeyring(file: string): Promise<LocalKeyring> {
  try {
    return new FileKeyring(file, await readStamped(file));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await createKeyringFile(file);
  return new FileKeyring(file, await readStamped(file));
}

interface Stamped {
  readonly content: KeyringContent;
  readonly stamp: string;
}

class FileKeyring implements LocalKeyring {
  readonly #file: string;
  readonly #hmacKeys = new Map<string, KeyObject>();
  readonly #signingKeys = new Map<string, Ed25519SigningKey>();
  #content: KeyringContent;
  #stamp: string;

  constructor(file: string, { content, stamp }: Stamped) {
    this.#file = file;
    this.#content = content;
    this.#stamp = stamp;
  }

  async generateDek(context: string) {
    await this.#refresh();
    const dek = randomBytes(KEY_BYTES);
    return { ...this.#wrap(dek, context), dek };
  }

  async unwrap(wrapped: Uint8Array, context: string): Promise<Buffer> {
    await this.#refresh();
    const bytes = Buffer.from(wrapped);
    if (bytes.length !== WRAPPED_BYTES || bytes[0] !== FORMAT) throw new KeyError('unwrap-refused');
    const nonceEnd = HEADER_BYTES + NONCE_BYTES;
    const input = this.#wrapInput(bytes.readUInt32BE(1), bytes.subarray(HEADER_BYTES, nonceEnd), context);
    try {
      return decryptAead(input, bytes.subarray(nonceEnd));
    } catch (error) {
      if (error instanceof AeadError) throw new KeyError('unwrap-refused');
      throw error;
    }
  }

  async rewrap(wrapped: Uint8Array, context: string): Promise<WrappedKey> {
    const dek = await this.unwrap(wrapped, context);
    const rewrapped = this.#wrap(dek, context);
    dek.fill(0);
    return rewrapped;
  }

  async hmac(purpose: string, data: string | Uint8Array): Promise<Buffer> {
    return this.hmacSync(purpose, data);
  }

  hmacSync(purpose: string, data: string | Uint8Array): Buffer {
    const key = keyOfPurpose(this.#hmacKeys, purpose, () =>
      createSecretKey(this.#derive(this.#content.hmacRoot, `amana/hmac/${purpose}`)),
    );
    return macOf(key, data);
  }

  async sign(purpose: string, bytes: Uint8Array) {
    const key = this.#signingKey(purpose);
    return { kid: key.kid, signature: key.sign(bytes) };
  }

  async publicKey(purpose: string) {
    const { kid, jwk } = this.#signingKey(purpose);
    return { kid, jwk };
  }

  async rotate(): Promise<number> {
    const changed = await changeKeyringFile(this.#file, (content) => ({
      ...content,
      wrapping: [...content.wrapping, randomKey()],
    }));
    await this.#refresh();
    return changed.wrapping.length;
  }

  async destroyKeyVersion(version: number): Promise<void> {
    await changeKeyringFile(this.#file, (content) => {
      if (version === content.wrapping.length) throw new KeyError('version-in-use');
      if (content.wrapping[version - 1] === undefined) throw new KeyError('unknown-version');
      return { ...content, wrapping: content.wrapping.map((key, index) => (index === version - 1 ? null : key)) };
    });
    await this.#refresh();
  }

  #wrap(dek: Buffer, context: string): WrappedKey {
    const keyVersion = this.#content.wrapping.length;
    const nonce = randomBytes(NONCE_BYTES);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(FORMAT, 0);
    header.writeUInt32BE(keyVersion, 1);
    const wrapped = Buffer.concat([header, nonce, encryptAead(this.#wrapInput(keyVersion, nonce, context), dek)]);
    return { wrapped, keyVersion };
  }

  #wrapInput(version: number, nonce: Uint8Array, context: string): AeadInput {
    const root = this.#content.wrapping[version - 1];
    if (root === undefined) throw new KeyError('unknown-version');
    if (root === null) throw new KeyError('version-destroyed');
    return { key: this.#derive(root, 'amana/wrap'), nonce, aad: Buffer.from(`${FORMAT}|${version}|${context}`) };
  }

  #signingKey(purpose: string): Ed25519SigningKey {
    return keyOfPurpose(this.#signingKeys, purpose, () =>
      signingKeyFromSeed(this.#derive(this.#content.signingRoot, `amana/sign/${purpose}`)),
    );
  }

  #derive(root: string, info: string): Buffer {
    return deriveKey({ secret: Buffer.from(root, 'base64'), info });
  }

  /** One stat per call: a version that another replica destroyed must not live on in this one's memory. */
  async #refresh(): Promise<void> {
    if ((await stampOf(this.#file)) === this.#stamp) return;
    const { content, stamp } = await readStamped(this.#file);
    this.#content = content;
    this.#stamp = stamp;
  }
}

function keyOfPurpose<K>(keys: Map<string, K>, purpose: string, derive: () => K): K {
  const known = keys.get(purpose);
  if (known !== undefined) return known;
  if (keys.size >= MAX_PURPOSES) throw new RangeError('too many key purposes');
  const key = derive();
  keys.set(purpose, key);
  return key;
}

/** Each replacement is a new inode, so this changes whenever the content does. */
async function stampOf(file: string): Promise<string> {
  const { ino, mtimeNs, size } = await stat(file, { bigint: true });
  return `${ino}.${mtimeNs}.${size}`;
}

/** Stamp first: a change between the two reads then costs one more read, never a stale key. */
async function readStamped(file: string): Promise<Stamped> {
  const stamp = await stampOf(file);
  return { stamp, content: await readKeyringFile(file) };
}

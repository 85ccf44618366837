import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export interface AeadInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/** Thrown when a key, nonce or tag has the wrong size, or when authentication fails. Says nothing about the content. */
export class AeadError extends Error {
  override readonly name = 'AeadError';

  constructor() {
    super('authenticated decryption refused');
  }
}

/**
 * AES-256-GCM with a 96-bit nonce; answers ciphertext followed by the 128-bit tag.
 * The caller vouches that a nonce is never used twice under one key: only random nonces are used outside the specs.
 */
export function encryptAead({ key, nonce, aad }: AeadInput, plaintext: Uint8Array): Buffer {
  requireSizes(key, nonce);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  return Buffer.concat([body, cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `encryptAead` made. Throws `AeadError` when anything differs: key, nonce, aad, body, tag, length. */
export function decryptAead({ key, nonce, aad }: AeadInput, sealed: Uint8Array): Buffer {
  requireSizes(key, nonce);
  const bodyBytes = sealed.length - TAG_BYTES;
  if (bodyBytes < 0) throw new AeadError();
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(bodyBytes));
  const body = decipher.update(sealed.subarray(0, bodyBytes));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch {
    // Bytes that were decrypted but not authenticated must not survive in memory.
    body.fill(0);
    throw new AeadError();
  }
}

export interface DeriveInput {
  readonly secret: Uint8Array;
  readonly info: string | Uint8Array;
  readonly salt?: Uint8Array;
  readonly lengthBytes?: number;
}

/** HKDF-SHA256; one purpose is one `info`, so that a key of one purpose never opens what another sealed. 32 bytes unless told. */
export function deriveKey({ secret, info, salt, lengthBytes = KEY_BYTES }: DeriveInput): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt ?? new Uint8Array(0), info, lengthBytes));
}

/** HMAC-SHA256, 32 bytes. */
export function macOf(key: Uint8Array | KeyObject, data: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function requireSizes(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== KEY_BYTES || nonce.length !== NONCE_BYTES) throw new AeadError();
}

import { randomBytes } from 'node:crypto';
import { AeadError, decryptAead, deriveKey, encryptAead, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './aead.ts';

const FORMAT = 1;
const MIN_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/** Where a sealed value belongs. All of it is bound into the ciphertext, so that a value cannot be moved. */
export interface SealPlace {
  readonly table: string;
  readonly column: string;
  readonly caseId: string;
  readonly keyVersion: number;
  /** Name and version of the plaintext's shape, such as `identity.v1`. */
  readonly schema: string;
}

export interface SealInput extends SealPlace {
  /** The case's data key in clear, 32 bytes. */
  readonly dek: Uint8Array;
  readonly plaintext: string | Uint8Array;
}

export interface OpenInput extends SealPlace {
  readonly dek: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The one error of sealing: wrong key, wrong place, tampered, truncated or unknown format look the same. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code = 'seal-refused';

  constructor() {
    super('sealed value refused');
  }
}

/**
 * Seals a value for one place: format byte, random 96-bit nonce, AES-256-GCM ciphertext, 128-bit tag (29 bytes over
 * the plaintext). Throws `SealError` when the key or the place cannot be used.
 */
export function seal({ dek, plaintext, ...place }: SealInput): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const content = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
  const body = encryptAead({ key: sealKey(dek), nonce, aad: boundTo(place) }, content);
  return Buffer.concat([Buffer.of(FORMAT), nonce, body]);
}

/** The plaintext of what `seal` made for exactly this key and place; `SealError` for anything else. */
export function open({ dek, sealed, ...place }: OpenInput): Buffer {
  if (sealed.length < MIN_BYTES || sealed[0] !== FORMAT) throw new SealError();
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  try {
    return decryptAead({ key: sealKey(dek), nonce, aad: boundTo(place) }, sealed.subarray(1 + NONCE_BYTES));
  } catch (error) {
    if (error instanceof AeadError) throw new SealError();
    throw error;
  }
}

/** A subkey of its own: the data key may serve other purposes (audit texts, indexes) without ever being shared. */
function sealKey(dek: Uint8Array): Buffer {
  if (dek.length !== KEY_BYTES) throw new SealError();
  return deriveKey({ secret: dek, info: 'amana/seal/field' });
}

function boundTo({ table, column, caseId, keyVersion, schema }: SealPlace): Buffer {
  const parts = [table, column, caseId, String(keyVersion), schema];
  // The separator inside a part would let two different places share one binding.
  if (!Number.isSafeInteger(keyVersion) || parts.some((part) => part === '' || part.includes('|'))) throw new SealError();
  return Buffer.from(parts.join('|'), 'utf8');
}

import type { Ed25519PublicJwk } from './ed25519.ts';

export interface WrappedKey {
  /** The data key under the provider's wrapping key; safe to store, bound to its context. */
  readonly wrapped: Buffer;
  readonly keyVersion: number;
}

export interface DataKey extends WrappedKey {
  /** 32 bytes in clear: seal with it, then `dek.fill(0)`. Never stored, never logged. */
  readonly dek: Buffer;
}

export interface Signature {
  readonly kid: string;
  readonly signature: Buffer;
}

export interface PublicKey {
  readonly kid: string;
  readonly jwk: Ed25519PublicJwk;
}

export type KeyErrorReason =
  | 'file-readable-by-others'
  | 'file-malformed'
  | 'file-locked'
  | 'unknown-version'
  | 'version-destroyed'
  | 'version-in-use'
  | 'unwrap-refused';

/** The one error of every key provider. Carries a reason and never a key, a context or a path. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly code: KeyErrorReason;

  constructor(code: KeyErrorReason) {
    super(`key provider refused: ${code}`);
    this.code = code;
  }
}

/**
 * Holds the wrapping, pseudonym and signing keys, and lends their use, never the keys.
 * `context` is bound into a wrapped key (usually a case id): unwrapping under another context is refused.
 * `purpose` separates keys: the same data gives unrelated values under two purposes.
 */
export interface KeyProvider {
  /** A fresh random data key and its wrapping under the newest version. */
  generateDek(context: string): Promise<DataKey>;
  /** The data key in clear. Throws `KeyError`: unwrap-refused, unknown-version, version-destroyed. */
  unwrap(wrapped: Uint8Array, context: string): Promise<Buffer>;
  /** The same data key under the newest version; needed before an old version is destroyed. */
  rewrap(wrapped: Uint8Array, context: string): Promise<WrappedKey>;
  /** HMAC-SHA256, 32 bytes. The key of a purpose outlives rotation, so that pseudonyms stay stable. */
  hmac(purpose: string, data: string | Uint8Array): Promise<Buffer>;
  /** The same value at once: a write path tags each act, so a provider keeps these keys at hand (microseconds, no I/O). */
  hmacSync(purpose: string, data: string | Uint8Array): Buffer;
  /** Ed25519 over the bytes. */
  sign(purpose: string, bytes: Uint8Array): Promise<Signature>;
  publicKey(purpose: string): Promise<PublicKey>;
  /** For ever: what is still wrapped under the version is unreadable. The newest version is refused (version-in-use). */
  destroyKeyVersion(version: number): Promise<void>;
}

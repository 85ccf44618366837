import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** RFC 8410 wrapping of a raw 32-byte seed: node takes no bare seed. */
const PKCS8_SEED_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;

export interface Ed25519PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

export interface Ed25519SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly jwk: Ed25519PublicJwk;
  sign(bytes: Uint8Array): Buffer;
}

/** The signing key of a 32-byte seed. The seed stays inside: only signatures and the public key come out. */
export function signingKeyFromSeed(seed: Uint8Array): Ed25519SigningKey {
  if (seed.length !== SEED_BYTES) throw new RangeError('an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([PKCS8_SEED_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return signingKeyOf(privateKey);
}

/** The signing key of a private JWK (kty OKP, crv Ed25519). Throws TypeError for any other key. */
export function signingKeyFromJwk(jwk: object): Ed25519SigningKey {
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('an Ed25519 key is required');
  return signingKeyOf(privateKey);
}

/** Whether `signature` is that of `bytes` under the public key; false for anything malformed. */
export function verifySignature(jwk: Ed25519PublicJwk, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, signature);
  } catch {
    return false;
  }
}

/** RFC 7638 thumbprint: members in lexical order, no spaces, SHA-256, base64url. */
export function thumbprint(jwk: Ed25519PublicJwk): string {
  const canonical = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x });
  return createHash('sha256').update(canonical).digest('base64url');
}

function signingKeyOf(privateKey: KeyObject): Ed25519SigningKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('an Ed25519 key is required');
  const jwk: Ed25519PublicJwk = { kty: 'OKP', crv: 'Ed25519', x };
  return { kid: thumbprint(jwk), jwk, sign: (bytes) => sign(null, bytes, privateKey) };
}

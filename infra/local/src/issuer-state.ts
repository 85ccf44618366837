import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { keepPrivateJson } from './json-file.ts';

const Text43 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** A private key as a JWK: ES256 or Ed25519, the two an assertion may be signed with. */
export const PrivateJwk = z.discriminatedUnion('kty', [
  z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: Text43, y: Text43, d: Text43, kid: z.string().min(1), alg: z.literal('ES256'), use: z.literal('sig') }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: Text43, d: Text43, kid: z.string().min(1), alg: z.literal('EdDSA'), use: z.literal('sig') }),
]);
export type PrivateJwk = z.infer<typeof PrivateJwk>;

/** A new signing key with a random key id. */
export async function makePrivateJwk(alg: 'ES256' | 'EdDSA'): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...(alg === 'EdDSA' ? { crv: 'Ed25519' } : {}) });
  return PrivateJwk.parse({ ...(await exportJWK(privateKey)), kid: randomBytes(9).toString('base64url'), alg, use: 'sig' });
}

/** The public half, as it may be published. */
export function publicHalf(jwk: PrivateJwk): Omit<PrivateJwk, 'd'> {
  const { d: _secret, ...open } = jwk;
  return open;
}

const IssuerKeys = z.strictObject({ signing: z.array(PrivateJwk).min(1).max(4), cookieKeys: z.array(z.string().min(32)).min(1).max(4) });
export type IssuerKeys = z.infer<typeof IssuerKeys>;

/** The issuer's own keys, made once per state folder: tokens given before a restart verify after it. */
export async function keepIssuerKeys(stateDir: string): Promise<IssuerKeys> {
  return keepPrivateJson(join(stateDir, 'issuer-keys.json'), IssuerKeys, async () => ({
    signing: [await makePrivateJwk('ES256')],
    cookieKeys: [randomBytes(32).toString('base64url')],
  }));
}

const SandboxCredentials = z.strictObject({
  /** One password for all staff accounts of the sandbox; there is no default. */
  sandboxPassword: z.string().min(16),
  /** Stands for the second factor of a step-up: asked for beside the password, never kept by a session. */
  stepUpCode: z.string().regex(/^\d{8}$/),
});
export type SandboxCredentials = z.infer<typeof SandboxCredentials>;

/** What a person or script needs to sign in to the sandbox, drawn at the first start and kept in credentials.json (0600). */
export async function keepSandboxCredentials(stateDir: string): Promise<SandboxCredentials> {
  return keepPrivateJson(join(stateDir, 'credentials.json'), SandboxCredentials, () => ({
    sandboxPassword: randomBytes(15).toString('base64url'),
    stepUpCode: String(randomInt(0, 100_000_000)).padStart(8, '0'),
  }));
}

import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import type { JWK } from 'jose';
import { z } from 'zod';
import { signingKeyFromJwk } from './ed25519.ts';
import type { KeyProvider } from './key-provider.ts';

const ALGORITHM = 'EdDSA';
const TYPE = 'amana-consent-receipt+jwt';
const SIGNING_PURPOSE = 'consent-receipt';
const MAX_RECEIPT_CHARS = 8_192;
const MAX_CATEGORIES = 32;

const Code = z.string().regex(/^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/).max(64);
const UnixSeconds = z.int().nonnegative();

/** What she agreed to, for one recipient: nothing about her but the fact of a consent. Times are business time. */
export const ConsentReceipt = z
  .object({
    /** The consent's reference. */
    jti: z.uuid(),
    ver: z.int().positive(),
    /** The organisation that asked her, and that signs. */
    iss: z.uuid(),
    /** The only organisation that may rely on it. */
    recipient: z.uuid(),
    serviceId: z.uuid().optional(),
    categories: z.array(Code).min(1).max(MAX_CATEGORIES),
    purpose: z.enum(['service', 'transfer']),
    iat: UnixSeconds,
    exp: UnixSeconds,
    /** Language of the conversation, as a BCP 47 tag. */
    lang: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/).max(35),
  })
  .refine((claims) => claims.exp > claims.iat, { path: ['exp'] });

export type ConsentReceipt = z.infer<typeof ConsentReceipt>;

const ReceiptHeader = z.strictObject({
  alg: z.literal(ALGORITHM),
  typ: z.literal(TYPE),
  kid: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/),
});

export interface ReceiptKey {
  readonly kid: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export type ReceiptVerdict =
  | { readonly ok: true; readonly claims: ConsentReceipt }
  /** The signature was not looked at: the caller may fetch the issuer's keys and ask again. `kid` is unverified. */
  | { readonly ok: false; readonly reason: 'unknown-key'; readonly kid: string }
  | { readonly ok: false; readonly reason: 'bad-signature' | 'expired' | 'malformed' };

export interface VerifyOptions {
  /** Public keys of the issuer that is expected, by `kid`. */
  readonly keys: ReadonlyMap<string, JWK>;
  /** Business time, the clock that `iat` and `exp` were written by. */
  readonly now: Date;
}

/** The organisation's receipt key; the private half never leaves the provider. */
export async function receiptKeyOf(provider: Pick<KeyProvider, 'sign' | 'publicKey'>): Promise<ReceiptKey> {
  const { kid } = await provider.publicKey(SIGNING_PURPOSE);
  return { kid, sign: async (bytes) => (await provider.sign(SIGNING_PURPOSE, bytes)).signature };
}

/** A receipt key from a private Ed25519 JWK; `kid` is the JWK's own or its thumbprint. */
export function receiptKeyFromJwk(jwk: JWK): ReceiptKey {
  const key = signingKeyFromJwk(jwk);
  return { kid: jwk.kid ?? key.kid, sign: async (bytes) => key.sign(bytes) };
}

/** The receipt as a compact JWS (EdDSA). Throws the schema's error when the claims are not a `ConsentReceipt`. */
export async function signReceipt(claims: ConsentReceipt, key: ReceiptKey): Promise<string> {
  const header = { alg: ALGORITHM, typ: TYPE, kid: key.kid };
  const signed = `${encode(header)}.${encode(ConsentReceipt.parse(claims))}`;
  const signature = await key.sign(Buffer.from(signed, 'ascii'));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

/**
 * Whether a receipt is genuine and still valid at `now`. Never throws for what the receipt contains. The key comes
 * from `keys` alone: a header that carries anything besides alg, typ and kid (jwk, jku, x5u, crit ...) is malformed.
 * That `recipient` and `iss` are the expected ones is the caller's question.
 */
export async function verifyReceipt(receipt: string, { keys, now }: VerifyOptions): Promise<ReceiptVerdict> {
  const header = headerOf(receipt);
  if (header === undefined) return { ok: false, reason: 'malformed' };
  const jwk = keys.get(header.kid);
  if (jwk === undefined) return { ok: false, reason: 'unknown-key', kid: header.kid };
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(receipt, { ...jwk, alg: ALGORITHM }, { algorithms: [ALGORITHM] }));
  } catch (error) {
    return { ok: false, reason: error instanceof errors.JWSInvalid ? 'malformed' : 'bad-signature' };
  }
  const claims = ConsentReceipt.safeParse(parseJson(payload));
  if (!claims.success) return { ok: false, reason: 'malformed' };
  if (claims.data.exp * 1_000 <= now.getTime()) return { ok: false, reason: 'expired' };
  return { ok: true, claims: claims.data };
}

function headerOf(receipt: string): z.infer<typeof ReceiptHeader> | undefined {
  if (receipt.length > MAX_RECEIPT_CHARS) return undefined;
  try {
    return ReceiptHeader.safeParse(decodeProtectedHeader(receipt)).data;
  } catch {
    return undefined;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

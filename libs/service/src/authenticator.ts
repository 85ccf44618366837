import { createHash } from 'node:crypto';
import { Role, Refusal } from '@amana/contracts';
import type { Caller } from '@amana/access';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';

const Claims = z.object({
  sub: z.string().min(1).max(200), org: z.uuidv4(), roles: z.array(Role).min(1).max(10), scope: z.string().max(1000).default(''),
  client_id: z.string().min(1).max(200), exp: z.number(),
});

/** A verified token is trusted again for this long at most, and never past its own end. */
const trustedForMs = 60_000;
const cachedTokens = 5_000;

/** Verifies access tokens against the issuer's published keys; remembers a verified one by its hash for at most 60 s. */
export class Authenticator {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #known = new Map<string, { caller: Caller; untilMs: number }>();

  constructor(options: { issuer: string; jwksUrl: string; audience: string }) {
    this.#issuer = options.issuer;
    this.#audience = options.audience;
    this.#keys = createRemoteJWKSet(new URL(options.jwksUrl), { cooldownDuration: 5_000, cacheMaxAge: 60_000 });
  }

  /** Who sent this Authorization header. Refuses `unauthenticated` without saying which check failed. */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1];
    if (!token) throw new Refusal('unauthenticated');
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    if (known && known.untilMs > Date.now()) return known.caller;
    const { caller, expiresAtMs } = await this.#verify(token);
    if (this.#known.size >= cachedTokens) this.#known.clear();
    this.#known.set(hash, { caller, untilMs: Math.min(Date.now() + trustedForMs, expiresAtMs) });
    return caller;
  }

  async #verify(token: string): Promise<{ caller: Caller; expiresAtMs: number }> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer: this.#issuer, audience: this.#audience, typ: 'at+jwt', algorithms: ['ES256', 'EdDSA'], clockTolerance: 5, requiredClaims: ['exp', 'iat'],
      });
      const claims = Claims.parse(payload);
      return {
        caller: { subject: claims.sub, organisationId: claims.org, roles: claims.roles, scopes: claims.scope.split(' '), clientId: claims.client_id },
        expiresAtMs: claims.exp * 1000,
      };
    } catch (error) {
      if (error instanceof Error && /ECONNREFUSED|fetch failed|JWKSTimeout/.test(`${error.name} ${error.message}`)) throw new Refusal('upstream-unavailable', { retryAfterSeconds: 1 });
      throw new Refusal('unauthenticated');
    }
  }
}

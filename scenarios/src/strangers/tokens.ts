import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';

/** What a partner system was handed. */
export interface KeyFile { readonly client_id: string; readonly privateJwk: JWK; readonly organisationId: string }

const renewBeforeMs = 30_000;

/** Access tokens by client_credentials with private_key_jwt (RFC 7523), one for each set of scopes and no wider than that. */
export class Tokens {
  readonly #key: KeyFile;
  readonly #tokenUrl: string;
  readonly #known = new Map<string, { token: string; untilMs: number }>();

  constructor(key: KeyFile, tokenUrl: string) {
    this.#key = key;
    this.#tokenUrl = tokenUrl;
  }

  async withScopes(scopes: readonly string[]): Promise<string> {
    const scope = scopes.join(' ');
    const known = this.#known.get(scope);
    if (known && known.untilMs > Date.now()) return known.token;
    const askedAtMs = Date.now();
    const response = await fetch(this.#tokenUrl, {
      method: 'POST', signal: AbortSignal.timeout(10_000),
      body: new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await this.#assertion(), scope }),
    });
    const { access_token: token, expires_in: seconds } = await response.json() as { access_token?: string; expires_in?: number };
    if (!response.ok || !token) throw new Error(`No token for ${scope}: ${response.status}`);
    this.#known.set(scope, { token, untilMs: askedAtMs + (seconds ?? 0) * 1000 - renewBeforeMs });
    return token;
  }

  async #assertion(): Promise<string> {
    const { client_id: clientId, privateJwk } = this.#key;
    return await new SignJWT({})
      .setProtectedHeader({ alg: privateJwk.alg ?? 'ES256', ...(privateJwk.kid ? { kid: privateJwk.kid } : {}) })
      .setIssuer(clientId).setSubject(clientId).setAudience(this.#tokenUrl).setJti(randomUUID()).setIssuedAt().setExpirationTime('60s')
      .sign(await importJWK(privateJwk));
  }
}

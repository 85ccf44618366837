import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import { makePrivateJwk, PrivateJwk } from './issuer-state.ts';
import { keepPrivateJson, writePrivateJson } from './json-file.ts';
import type { PartnerClient } from './network-accounts.ts';

const RENEW_BEFORE_EXPIRY_MS = 30_000;
const ASSERTION_LIFETIME_SECONDS = 60;
const REQUEST_TIMEOUT_MS = 10_000;
const REDIRECTS_MAX = 10;

/** The public client of staff: no secret, code flow with PKCE S256 only. */
export const STAFF_CLIENT_ID = 'amana-staff';
export const STAFF_REDIRECT_URI = 'http://127.0.0.1/signed-in';

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresAtMs: number;
  /** What the token is good for; the issuer may give less than was asked. */
  readonly scope: string;
}

/** The issuer refused. `code` is OAuth's error code, such as `invalid_client`; no secret and no name is in it. */
export class TokenRefused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number) {
    super(`The issuer refused with ${code} (${status})`);
    this.name = 'TokenRefused';
    this.code = code;
    this.status = status;
  }
}

export interface ClientTokenRequest {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly privateJwk: PrivateJwk;
  /** Space-separated; without it the client gets all it is registered for. */
  readonly scope?: string;
}

/** One access token for a partner system, by client_credentials with private_key_jwt. Throws TokenRefused. */
export async function tokenForClient(request: ClientTokenRequest): Promise<IssuedToken> {
  const { clientId, privateJwk } = request;
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: privateJwk.alg, kid: privateJwk.kid, typ: 'JWT' })
    .setIssuer(clientId).setSubject(clientId).setAudience(request.tokenUrl)
    .setJti(randomUUID()).setIssuedAt().setExpirationTime(`${ASSERTION_LIFETIME_SECONDS}s`)
    .sign(await importJWK(privateJwk));
  return postForToken(request.tokenUrl, {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...(request.scope ? { scope: request.scope } : {}),
  });
}

export interface StaffTokenRequest {
  readonly issuerUrl: string;
  readonly username: string;
  readonly password: string;
  readonly scope: string;
  /** Given, the token carries acr `step-up` with a fresh auth_time. */
  readonly stepUpCode?: string;
}

/** One access token for a member of staff: drives the code flow with PKCE as a browser would. Throws TokenRefused. */
export async function tokenForStaff(request: StaffTokenRequest): Promise<IssuedToken> {
  const { issuerUrl, stepUpCode } = request;
  const browser = new Browser();
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const formUrl = await browser.follow(`${issuerUrl}/auth?${new URLSearchParams({
    client_id: STAFF_CLIENT_ID, response_type: 'code', redirect_uri: STAFF_REDIRECT_URI, state,
    // A step-up is OpenID Connect's, so it can be asked for beside the scope `openid` only.
    scope: stepUpCode ? `openid ${request.scope}` : request.scope,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    ...(stepUpCode ? { acr_values: 'step-up' } : {}),
  })}`);
  if (formUrl.href.startsWith(STAFF_REDIRECT_URI)) throw new TokenRefused(formUrl.searchParams.get('error') ?? 'invalid_request', 400);
  const end = await browser.follow(formUrl.href, new URLSearchParams({ username: request.username, password: request.password, ...(stepUpCode ? { stepUpCode } : {}) }));
  const code = end.searchParams.get('code');
  // An answer to another request than ours would sign us in as somebody else.
  if (!code || end.searchParams.get('state') !== state) throw new TokenRefused(end.searchParams.get('error') ?? 'access_denied', 400);
  return postForToken(`${issuerUrl}/token`, { grant_type: 'authorization_code', client_id: STAFF_CLIENT_ID, redirect_uri: STAFF_REDIRECT_URI, code, code_verifier: verifier });
}

/** Gives a token and keeps it until 30 s before it expires; callers that come at once share one request. */
export class TokenSource {
  readonly #issue: () => Promise<IssuedToken>;
  #kept: IssuedToken | undefined;
  #underway: Promise<IssuedToken> | undefined;

  constructor(issue: () => Promise<IssuedToken>) {
    this.#issue = issue;
  }

  static forClient(request: ClientTokenRequest): TokenSource {
    return new TokenSource(() => tokenForClient(request));
  }

  static forStaff(request: StaffTokenRequest): TokenSource {
    return new TokenSource(() => tokenForStaff(request));
  }

  /** An access token that is good for at least 30 s. Throws TokenRefused; a refusal is not kept. */
  async token(): Promise<string> {
    if (this.#kept && this.#kept.expiresAtMs - RENEW_BEFORE_EXPIRY_MS > Date.now()) return this.#kept.accessToken;
    this.#underway ??= this.#issue().finally(() => { this.#underway = undefined; });
    this.#kept = await this.#underway;
    return this.#kept.accessToken;
  }
}

/** What a partner system is handed: who it is, its private key and where tokens are. */
export const ClientKeyFile = z.strictObject({ client_id: z.string(), organisationId: z.string(), privateJwk: PrivateJwk, tokenUrl: z.url() });
export type ClientKeyFile = z.infer<typeof ClientKeyFile>;

/** Where a client's key file lies in the state folder. */
export function clientKeyPath(stateDir: string, clientId: string): string {
  return join(stateDir, 'clients', `${clientId}.json`);
}

/**
 * Makes one key file (0600) per partner system and gives them all. A key is drawn once and kept; the token
 * URL is brought up to date, since the sandbox may start on another port.
 */
export async function writeClientKeyFiles(stateDir: string, clients: readonly PartnerClient[], tokenUrl: string): Promise<ClientKeyFile[]> {
  return Promise.all(clients.map(async ({ client_id, organisationId, alg }) => {
    const path = clientKeyPath(stateDir, client_id);
    const kept = await keepPrivateJson(path, ClientKeyFile, async () => ({ client_id, organisationId, privateJwk: await makePrivateJwk(alg), tokenUrl }));
    const file = { ...kept, organisationId, tokenUrl };
    if (kept.tokenUrl !== tokenUrl || kept.organisationId !== organisationId) await writePrivateJson(path, file);
    return file;
  }));
}

async function postForToken(tokenUrl: string, form: Record<string, string>): Promise<IssuedToken> {
  const sentAtMs = Date.now();
  const response = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form), signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  const body = await response.json() as { access_token?: string; expires_in?: number; scope?: string; error?: string };
  if (!response.ok || !body.access_token) throw new TokenRefused(body.error ?? 'server_error', response.status);
  return { accessToken: body.access_token, expiresAtMs: sentAtMs + (body.expires_in ?? 0) * 1000, scope: body.scope ?? form.scope ?? '' };
}

/** As much of a browser as signing in takes: cookies of one origin, and redirects. */
class Browser {
  readonly #cookies = new Map<string, string>();

  /** Follows redirects (at most 10) until a page is shown or the staff client's own address is reached, which is not called. */
  async follow(from: string, form?: URLSearchParams): Promise<URL> {
    let url = new URL(from);
    let body = form;
    for (let hop = 0; hop < REDIRECTS_MAX; hop += 1) {
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET', redirect: 'manual', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(body ? { body } : {}),
      });
      await response.body?.cancel();
      this.#keep(response.headers.getSetCookie());
      const location = response.headers.get('location');
      if (!location) {
        if (response.status >= 400) throw new TokenRefused(response.status === 429 ? 'slow_down' : 'access_denied', response.status);
        return url;
      }
      url = new URL(location, url);
      body = undefined;
      if (url.href.startsWith(STAFF_REDIRECT_URI)) return url;
    }
    throw new TokenRefused('too_many_redirects', 400);
  }

  #keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (at < 1) continue;
      // An emptied cookie is a deleted one.
      if (pair.length === at + 1) this.#cookies.delete(pair.slice(0, at));
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

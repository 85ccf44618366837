import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { STAFF_CLIENT_ID, STAFF_REDIRECT_URI, writeClientKeyFiles, type ClientKeyFile } from './credentials.ts';
import { ACR_PASSWORD, ACR_STEP_UP, createLoginPage } from './issuer-login.ts';
import { type IssuerKeys, keepIssuerKeys, keepSandboxCredentials, publicHalf } from './issuer-state.ts';
import { createIssuerStore } from './issuer-store.ts';
import { close, listen } from './loopback.ts';
import { API_RESOURCE, type PartnerClient, Scope, type StaffAccount } from './network-accounts.ts';

const TOKEN_LIFETIME_SECONDS = 300;
/** An assertion may live no longer than the token it buys: a stolen one is soon worthless. */
const ASSERTION_LIFETIME_MAX_SECONDS = 300;
const LOGIN_LIFETIME_SECONDS = 600;
const CONNECTIONS_MAX = 500;

export interface IssuerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Where keys and sandbox credentials are kept, each file 0600. */
  readonly stateDir: string;
  readonly accounts: readonly StaffAccount[];
  readonly clients: readonly PartnerClient[];
  /** The `iss` of the tokens, without a trailing slash; the listening address unless given. */
  readonly publicUrl?: string;
  /** The address to listen on; the loopback unless given. */
  readonly host?: string;
}

export interface RunningIssuer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts the sandbox's issuer: client_credentials with private_key_jwt for partner systems, the code flow with
 * PKCE S256 for staff, ES256 tokens of 300 s for the audience `urn:amana:api`. Writes one key file per partner
 * system. Rejects when the port is taken or the state folder cannot be used.
 */
export async function startIssuer(options: IssuerOptions): Promise<RunningIssuer> {
  const [keys, credentials] = await Promise.all([keepIssuerKeys(options.stateDir), keepSandboxCredentials(options.stateDir)]);
  const server = createServer();
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options.port, options.host ?? '127.0.0.1');
  try {
    const url = options.publicUrl ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tokenUrl = `${url}/token`;
    const keyFiles = await writeClientKeyFiles(options.stateDir, options.clients, tokenUrl);
    const provider = new Provider(url, configurationOf(options, keys, keyFiles));
    // Koa prints unexpected errors with their request; a request here can hold a password.
    provider.silent = true;
    // Behind an ingress the address it is called by is the public one: assertions are made out to that.
    provider.proxy = options.publicUrl !== undefined;
    provider.on('server_error', (_context, error) => process.stderr.write(`issuer: ${error.name}\n`));
    const answer = provider.callback();
    const login = createLoginPage({ provider, accounts: options.accounts, credentials });
    server.on('request', (request, response) => {
      response.setHeader('Amana-Mode', 'sandbox');
      if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
      login(request, response).catch((error: Error) => {
        // An unknown, spent or foreign sign-in: there is nothing to show, and nothing to tell about it.
        if (!(error instanceof errors.OIDCProviderError)) process.stderr.write(`issuer: sign-in ended with ${error.name}\n`);
        if (!response.headersSent) response.writeHead(400, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' });
        response.end('This sign-in is no longer open. Start again.\n');
      });
    });
    return { url, tokenUrl, jwksUrl: `${url}/jwks`, stop: () => close(server) };
  } catch (error) {
    await close(server);
    throw error;
  }
}

function configurationOf(options: IssuerOptions, keys: IssuerKeys, keyFiles: readonly ClientKeyFile[]): Configuration {
  const accountById = new Map(options.accounts.map((account) => [account.accountId, account]));
  const clientById = new Map(options.clients.map((client) => [client.client_id, client]));
  return {
    adapter: createIssuerStore([staffClient(), ...keyFiles.map(partnerClient)]),
    jwks: { keys: keys.signing },
    cookies: { keys: keys.cookieKeys },
    clientAuthMethods: ['private_key_jwt', 'none'],
    // With an ES256 key alone, a client that expects RS256 ID tokens is rejected at start.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'EdDSA'], idTokenSigningAlgValues: ['ES256'] },
    responseTypes: ['code'],
    acrValues: [ACR_PASSWORD, ACR_STEP_UP],
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    findAccount: (_context, accountId) => (accountById.has(accountId) ? { accountId, claims: () => ({ sub: accountId }) } : undefined),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    assertJwtClientAuthClaimsAndHeader: (_context, claims) => assertShortLived(claims.exp),
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API_RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, resource) => apiFor(context, resource, clientById),
      },
    },
    ttl: {
      AccessToken: TOKEN_LIFETIME_SECONDS, ClientCredentials: TOKEN_LIFETIME_SECONDS, IdToken: TOKEN_LIFETIME_SECONDS,
      AuthorizationCode: 60, Interaction: LOGIN_LIFETIME_SECONDS, Session: LOGIN_LIFETIME_SECONDS, Grant: LOGIN_LIFETIME_SECONDS,
    },
    extraTokenClaims: (context, token) => {
      if (token.kind === 'AccessToken') return staffClaims(context, accountById.get(token.accountId));
      const client = clientById.get(token.clientId ?? '');
      return client && { org: client.organisationId, roles: client.roles };
    },
    formats: {
      customizers: {
        // A partner system has an opaque account id too, so that `sub` is of one kind in every history.
        jwt: (_context, token, parts) => {
          const client = token.kind === 'ClientCredentials' ? clientById.get(token.clientId ?? '') : undefined;
          if (client) parts.payload.sub = client.accountId;
        },
      },
    },
    renderError: (context, out) => {
      context.type = 'text';
      context.body = `${out.error}\n`;
    },
  };
}

function staffClient() {
  return {
    client_id: STAFF_CLIENT_ID,
    application_type: 'native' as const,
    token_endpoint_auth_method: 'none' as const,
    grant_types: ['authorization_code'],
    response_types: ['code' as const],
    redirect_uris: [STAFF_REDIRECT_URI],
  };
}

function partnerClient(file: ClientKeyFile) {
  return {
    client_id: file.client_id,
    token_endpoint_auth_method: 'private_key_jwt' as const,
    token_endpoint_auth_signing_alg: file.privateJwk.alg,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    jwks: { keys: [publicHalf(file.privateJwk)] },
  };
}

/** The one resource there is. A partner system that asks beyond its registration is refused; one that names no scope gets all of it. */
function apiFor(context: KoaContextWithOIDC, resource: string, clientById: ReadonlyMap<string, PartnerClient>) {
  if (resource !== API_RESOURCE) throw new errors.InvalidTarget();
  const { client, params } = context.oidc;
  const allowed: readonly string[] = clientById.get(client?.clientId ?? '')?.scopes ?? Scope.options;
  const asked = typeof params?.scope === 'string' ? params.scope.split(' ') : [];
  const beyond = asked.find((scope) => scope !== 'openid' && !allowed.includes(scope));
  if (beyond !== undefined) throw new errors.InvalidScope('requested scope is not allowed', beyond);
  if (params && asked.length === 0 && params.grant_type === 'client_credentials') params.scope = allowed.join(' ');
  return {
    scope: allowed.join(' '),
    audience: API_RESOURCE,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: TOKEN_LIFETIME_SECONDS,
    jwt: { sign: { alg: 'ES256' as const } },
  };
}

function staffClaims(context: KoaContextWithOIDC, account: StaffAccount | undefined) {
  if (!account) return undefined;
  const code = context.oidc.entities.AuthorizationCode;
  return { org: account.organisationId, roles: account.roles, acr: code?.acr ?? ACR_PASSWORD, auth_time: code?.authTime };
}

function assertShortLived(exp: unknown): void {
  if (typeof exp === 'number' && exp <= Math.floor(Date.now() / 1000) + ASSERTION_LIFETIME_MAX_SECONDS) return;
  throw new errors.InvalidClientAuth('the client_assertion may live 300 s at most');
}

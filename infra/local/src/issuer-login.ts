import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { SandboxCredentials } from './issuer-state.ts';
import { API_RESOURCE, type StaffAccount, scopesOfRoles } from './network-accounts.ts';

/** The assurance a session can have: its acr claim. */
export const ACR_PASSWORD = 'password';
export const ACR_STEP_UP = 'step-up';

const BODY_LIMIT_BYTES = 4096;
const FAILED_TRIES_PER_MINUTE = 5;
const LIMITED_NAMES_MAX = 10_000;

interface LoginOptions {
  readonly provider: Provider;
  readonly accounts: readonly StaffAccount[];
  readonly credentials: SandboxCredentials;
}

/**
 * The page under `/interaction/{uid}` on which a member of staff signs in: GET shows a form, POST takes
 * `username`, `password` and, where a step-up was asked for, `stepUpCode`. After five failed tries for one
 * username within a minute it answers 429. A wrong name and a wrong password look the same.
 */
export function createLoginPage(options: LoginOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { provider, credentials } = options;
  const byUsername = new Map(options.accounts.map((account) => [account.username, account]));
  const failures = new FailedTries();

  return async (request, response) => {
    const interaction = await provider.interactionDetails(request, response);
    const stepUp = String(interaction.params.acr_values ?? '').split(' ').includes(ACR_STEP_UP);
    if (request.method !== 'POST') return page(response, 200, { stepUp });

    const form = await readForm(request);
    if (!form) return page(response, 413, { stepUp, problem: 'The form is too large.' });
    const username = form.get('username') ?? '';
    const waitSeconds = failures.waitSeconds(username);
    if (waitSeconds > 0) {
      response.setHeader('Retry-After', String(waitSeconds));
      return page(response, 429, { stepUp, problem: 'Too many tries. Wait a minute.' });
    }
    const account = byUsername.get(username);
    // Both secrets are compared whatever the name is: the time taken tells nothing about which accounts exist.
    const passwordFits = same(form.get('password') ?? '', credentials.sandboxPassword);
    const codeFits = same(form.get('stepUpCode') ?? '', credentials.stepUpCode);
    if (!account || !passwordFits || (stepUp && !codeFits)) {
      failures.note(username);
      return page(response, 401, { stepUp, problem: 'This name and password do not fit.' });
    }
    const grantId = await grantFor(provider, account, interaction.params);
    await provider.interactionFinished(request, response, {
      login: { accountId: account.accountId, acr: stepUp ? ACR_STEP_UP : ACR_PASSWORD, remember: false },
      consent: { grantId },
    });
  };
}

/** Grants what was asked for as far as the account's roles reach; the rest is refused without a word, as OAuth allows. */
async function grantFor(provider: Provider, account: StaffAccount, params: Record<string, unknown>): Promise<string> {
  const grant = new provider.Grant({ accountId: account.accountId, clientId: String(params.client_id) });
  const allowed = new Set<string>(scopesOfRoles(account.roles));
  const asked = String(params.scope ?? '').split(' ').filter(Boolean);
  if (asked.includes('openid')) grant.addOIDCScope('openid');
  for (const scope of asked) {
    if (allowed.has(scope)) grant.addResourceScope(API_RESOURCE, scope);
    else grant.rejectResourceScope(API_RESOURCE, scope);
  }
  return grant.save();
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (Buffer.byteLength(text) > BODY_LIMIT_BYTES) return undefined;
  }
  return new URLSearchParams(text);
}

function same(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Failed tries per username within the running minute; names that are not accounts count too, at most 10,000 of them. */
class FailedTries {
  readonly #tries = new Map<string, { count: number; untilMs: number }>();

  note(username: string): void {
    const nowMs = Date.now();
    const running = this.#tries.get(username);
    if (running && running.untilMs > nowMs) {
      running.count += 1;
      return;
    }
    if (this.#tries.size >= LIMITED_NAMES_MAX) this.#tries.clear();
    this.#tries.set(username, { count: 1, untilMs: nowMs + 60_000 });
  }

  waitSeconds(username: string): number {
    const running = this.#tries.get(username);
    if (!running || running.count < FAILED_TRIES_PER_MINUTE) return 0;
    return Math.max(0, Math.ceil((running.untilMs - Date.now()) / 1000));
  }
}

function page(response: ServerResponse, status: number, view: { stepUp: boolean; problem?: string }): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  const code = view.stepUp ? '<p><label>Step-up code <input name="stepUpCode" inputmode="numeric" autocomplete="one-time-code" required></label></p>' : '';
  response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem}input{font:inherit;width:100%;box-sizing:border-box}</style>
<h1>Sign in</h1>
<p>Sandbox: fictional data only.</p>
${view.problem ? `<p role="alert">${view.problem}</p>` : ''}
<form method="post">
<p><label>Username <input name="username" autocomplete="username" required autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
${code}<p><button>Sign in</button></p>
</form>
</html>
`);
}

/** What became of one try to send something, in codes: no answer of the other side is kept. */
export type SendOutcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'gone'; readonly status: number }
  | { readonly kind: 'failed'; readonly reasonCode: string; readonly status?: number; readonly retryAfterMs?: number | undefined };

/** What an answer's status means. 3xx is a failure: following it would lead where nobody checked. */
export function outcomeOf(answer: { status: number; retryAfter?: string | undefined; now: Date }): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'gone', status };
  const reasonCode = status >= 300 && status < 400 ? 'redirect' : status >= 500 ? 'server-error' : 'refused';
  return { kind: 'failed', reasonCode, status, retryAfterMs: retryAfterMs(answer.retryAfter, answer.now) };
}

/** Retry-After in seconds or as an HTTP date; undefined for anything else, and for a time that has passed. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined || header.length > 40) return undefined;
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : header.endsWith('GMT') ? Date.parse(header) - now.getTime() : Number.NaN;
  return waitMs > 0 ? waitMs : undefined;
}

/** What a failed connection is called: a code that carries nothing of the other side. */
export function failureOf(error: unknown): SendOutcome {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; name?: unknown };
  return { kind: 'failed', reasonCode: reasonOf(String(code), String(name)) };
}

function reasonOf(code: string, name: string): string {
  if (code === 'address-refused') return 'address-refused';
  if (name === 'TimeoutError' || name === 'AbortError' || /TIMEOUT|ETIMEDOUT/.test(code)) return 'timeout';
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'name-unknown';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code)) return 'tls';
  return 'connection';
}

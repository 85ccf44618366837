/** Connection lost, server shutting down, deadlock, serialization, lock time-out: the same work may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  return /^(40001|40P01|55P03|57014|57P0\d|08\w{3}|53300|25006|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code)
    || (error instanceof Error && /Connection terminated|Client has encountered a connection error|connection is closed|not queryable/i.test(error.message));
}

/** True for a unique violation, on the named constraint if one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return codeOf(error) === '23505' && (constraint === undefined || (error as { constraint?: string }).constraint === constraint);
}

/** True when an EXCLUDE constraint refused the row: somebody else holds the period. */
export function isExclusionViolation(error: unknown): boolean {
  return codeOf(error) === '23P01';
}

/** True when a row stayed locked for 2 s: somebody else is still at work on the same thing. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String((error as { code: unknown }).code) : '';
}

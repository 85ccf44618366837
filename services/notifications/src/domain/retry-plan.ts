const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** How long before each try of a webhook: ten tries over three days. */
export const webhookWaitsMs: readonly number[] = [0, 5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 10 * hourMs, 14 * hourMs, 20 * hourMs, 24 * hourMs];

/** How long before each try of a mail: a mail server that is away for hours is an operator's matter. */
export const mailWaitsMs: readonly number[] = [0, minuteMs, 10 * minuteMs, hourMs, 6 * hourMs];

/** Whoever asks for more than this with Retry-After is tried sooner: a receiver must not be able to put us off for ever. */
const longestWaitMs = 24 * hourMs;

export interface RetryOptions {
  readonly now: Date;
  /** A number from 0 to 1, so that receivers that failed together are not tried together. */
  readonly random: () => number;
}

/** When to try again after try number `attempt` (from 1) failed; undefined when the plan has come to its end. */
export function nextTryAt(waitsMs: readonly number[], attempt: number, options: RetryOptions & { retryAfterMs?: number | undefined }): Date | undefined {
  const waitMs = waitsMs[attempt];
  if (waitMs === undefined) return undefined;
  const spread = waitMs * (0.8 + options.random() * 0.4);
  return new Date(options.now.getTime() + Math.max(spread, Math.min(options.retryAfterMs ?? 0, longestWaitMs)));
}

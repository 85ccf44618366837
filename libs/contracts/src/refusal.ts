/**
 * Every refusal Amana can give: its HTTP status and one sentence that says what to do.
 * Codes are stable; a sentence never names a person. Denied and unknown share `not-found`.
 */
export const refusals = {
  'bad-request': [400, 'The request could not be read. Send JSON of at most 1 MB and 64 levels.'],
  'idempotency-key-missing': [400, 'Send an Idempotency-Key header of 1 to 200 visible characters.'],
  unauthenticated: [401, 'Send a valid access token of the issuer named in /v1/openapi.json.'],
  forbidden: [403, 'Your role or scope does not include this act.'],
  suppressed: [403, 'No live consent covers this.'],
  'not-found': [404, 'There is nothing here that you may see.'],
  'acceptance-not-yet-seen': [409, 'The acceptance has not arrived yet. Try again after the time in Retry-After.'],
  'illegal-transition': [409, 'The item is not in a state that allows this. Read it again.'],
  'hold-required': [409, 'A shelter accepts by holding a bed: POST a hold at the shelter service.'],
  'hold-unavailable': [409, 'No bed of this class is free for that period.'],
  'no-free-bed': [409, 'No bed of this class is free for that period.'],
  'hold-expired': [409, 'The hold has run out. Hold a bed again.'],
  'already-held': [409, 'A bed is already held for this referral.'],
  'case-closed': [409, 'The case is closed or has been transferred.'],
  'case-already-open': [409, 'This organisation has an open case for this person.'],
  'open-referrals': [409, 'A referral of this case is still open. End it first.'],
  'version-exhausted': [409, 'Others kept changing this item. Read it again and retry.'],
  'idempotency-in-flight': [409, 'The same request is still being handled. Try again after the time in Retry-After.'],
  'consent-withdrawn': [410, 'Her consent has ended.'],
  gone: [410, 'This is no longer available.'],
  'version-stale': [412, 'The item has changed since you read it. Read it again and send its new ETag.'],
  'body-too-large': [413, 'The body is over 1 MB.'],
  'unsupported-media-type': [415, 'Send application/json.'],
  'validation-failed': [422, 'Some fields are missing or wrong; errors[] names each of them.'],
  'idempotency-key-reused': [422, 'This Idempotency-Key was used with another body.'],
  'confidentiality-not-explained': [422, 'Tell her the limits of confidentiality before anything is noted, and record when.'],
  'not-safe-to-talk': [422, 'She is not alone or not safe to talk. Agree another time and place first.'],
  'minor-not-supported': [422, 'The rules for a person under 18 do not exist here yet. Call the child-protection focal point.'],
  'age-unknown-not-supported': [422, 'Her age is unknown: she may be under 18. Call the child-protection focal point.'],
  'capacity-not-supported': [422, 'The rules for a person who cannot consent do not exist here yet. Call your supervisor.'],
  'screening-not-allowed': [422, 'Only an authority identifies. Record presumed, not presumed or declined.'],
  'safe-contact-missing': [422, 'Ask her how she can be reached safely, and record it, before consent is sought.'],
  'consent-missing': [422, 'She has not consented to this recipient.'],
  'consent-not-recorded': [422, 'An imported draft cannot be shared before her consent is recorded in a conversation.'],
  'consent-invalid': [422, 'The receipt is not valid for this recipient, service or time.'],
  'consent-key-unknown': [503, 'The key that signed the receipt has not arrived yet. Try again after the time in Retry-After.'],
  'conflict-known': [422, 'A conflict with this recipient is on record. Talk to your supervisor.'],
  'too-many-recipients': [422, 'One conversation may name three recipients at most.'],
  'service-unknown': [422, 'No such service is listed in the directory.'],
  'recipient-suspended': [422, 'This organisation takes no referrals at present.'],
  'protocol-missing': [422, 'This organisation has not signed the network protocol.'],
  'category-over-ceiling': [422, 'The recipient may not receive one of these categories.'],
  'occurred-in-future': [422, 'occurredAt lies in the future.'],
  'arrival-plan-missing': [422, 'Plan the arrival first.'],
  'address-in-plan': [422, 'A meeting point must be neutral: it cannot be an address of the shelter.'],
  'webhook-url-refused': [422, 'This address cannot be called.'],
  'precondition-required': [428, 'Send If-Match with the ETag you read.'],
  'too-many-requests': [429, 'Too many requests. Try again after the time in Retry-After.'],
  'internal-error': [500, 'Something failed on our side; nothing was changed. Give the traceId to the operator.'],
  'upstream-unavailable': [503, 'A part of the network is starting or away. Try again after the time in Retry-After.'],
} as const satisfies Record<string, readonly [number, string]>;

export type RefusalCode = keyof typeof refusals;

/** One thing that is wrong: where (RFC 6901 pointer into the body, or a header's name) and the stable code of what. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
}

/**
 * An expected refusal. It is returned by decisions and thrown by the edge; its message is its code,
 * so that no log can learn more from it than the caller did.
 */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: RefusalCode, options: { errors?: readonly FieldError[]; retryAfterSeconds?: number } = {}) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return refusals[this.code][0];
  }
}

/** A refusal that names one field of the body. */
export function refuseField(code: RefusalCode, pointer: string): Refusal {
  return new Refusal(code, { errors: [{ pointer, code }] });
}

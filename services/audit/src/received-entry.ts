import { type Action, policy } from '@amana/access';
import { Refusal } from '@amana/contracts';
import { type AuditLeaf, LeafError, readLeaf } from '@amana/privacy';

/** An entry as it arrived: the leaf, its exact bytes, and what the bus said beside it. */
export interface ReceivedEntry {
  readonly leaf: AuditLeaf;
  readonly body: Buffer;
  /** What the act belongs to: everything that one request led to, in whichever service. */
  readonly correlation: string;
  /** Something was shown, or somebody tried to see it. */
  readonly look: boolean;
  /** The service acted by itself, on an event or a clock: it comes after the request that led to it, whatever its clock says. */
  readonly ownDoing: boolean;
}

/**
 * Reads what a producer sent as an audit entry. Refuses `validation-failed` for bytes that are no leaf, and for a leaf
 * that names another producer than the topic it came on: no service speaks for another.
 */
export function readEntry(options: { leaf: string; producer: string; correlation?: string | undefined }): ReceivedEntry {
  const body = Buffer.from(options.leaf, 'base64url');
  const leaf = parse(body);
  if (leaf.producer !== options.producer) throw new Refusal('validation-failed', { errors: [{ pointer: '/leaf/producer', code: 'not-the-sender' }] });
  return { leaf, body, correlation: options.correlation ?? leaf.requestId, look: isLook(leaf), ownDoing: leaf.actor.org === 'system' };
}

/** What was shown says so in its outcome; a look that was denied is known by the kind of act it tried. */
export function isLook(leaf: Pick<AuditLeaf, 'action' | 'decision' | 'outcome'>): boolean {
  if (leaf.outcome === 'shown') return true;
  return leaf.decision === 'deny' && Object.hasOwn(policy, leaf.action) && policy[leaf.action as Action].scope.endsWith(':read');
}

function parse(body: Buffer): AuditLeaf {
  try {
    return readLeaf(body);
  } catch (error) {
    if (error instanceof LeafError) throw new Refusal('validation-failed', { errors: error.fields.slice(0, 20).map((field) => ({ pointer: `/leaf/${field.replaceAll('.', '/')}`, code: 'not-a-leaf' })) });
    throw error;
  }
}

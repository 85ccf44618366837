import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const SALT_BYTES = 16;
/** What an audit entry carries at most: 8,192 characters of base64url. */
const MAX_LEAF_BYTES = 6_144;
const MAX_SEALED_CHARS = 4_096;

/** Ids, tags and codes only: no space and no letter outside ASCII, so that no sentence and no name written as one fits. */
const Id = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._:/-]*$/).max(128);
const Code = z.string().regex(/^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/).max(64);
const Tag = z.string().regex(/^[A-Za-z0-9_-]{22}$/);

/** One act or one look, as the ledger keeps it. The order of the fields is the order of the bytes. */
export const AuditLeaf = z.object({
  v: z.literal(1),
  /** 128 random bits, so that no one can guess a leaf from its hash. */
  salt: Tag,
  producer: Code,
  at: z.iso.datetime(),
  /** `system` stands for a service that acted on an event or a clock. */
  actor: z.strictObject({ tag: z.union([Tag, z.literal('system')]), org: Id, role: Code, client: Id }),
  onBehalfOf: Id.optional(),
  action: Code,
  object: z.strictObject({ type: Code, id: Id, version: z.int().nonnegative().optional() }),
  subjectTag: Tag,
  consent: z.strictObject({ ref: Id, version: z.int().positive() }).optional(),
  policy: z.strictObject({ version: Id, rule: Code }),
  decision: z.enum(['permit', 'deny']),
  recipientOrg: Id.optional(),
  requestId: Id,
  outcome: Code,
  /** Category, fields, purpose and free text, sealed under the producer's key of that aggregate; base64url. */
  sealed: z.base64url().max(MAX_SEALED_CHARS).optional(),
});

export type AuditLeaf = z.infer<typeof AuditLeaf>;

/** What the producer says; version and salt are added here. */
export type AuditFields = Omit<AuditLeaf, 'v' | 'salt'>;

const WrittenLeaf = AuditLeaf.strict();

/** Thrown for bytes that are no leaf, and for fields that may not stand in one. Names the fields, never a value. */
export class LeafError extends Error {
  override readonly name = 'LeafError';
  readonly code = 'leaf-refused';
  readonly fields: readonly string[];

  constructor(fields: readonly string[] = []) {
    super('audit leaf refused');
    this.fields = fields;
  }
}

/**
 * The exact bytes of a leaf: UTF-8 JSON in the order of `AuditLeaf`, with a fresh salt. Two calls never give the same
 * bytes: keep them as they are, since the ledger hashes them and nothing is ever canonicalised again.
 * Throws `LeafError` when a field is missing, undeclared or not an id or code, and above 6,144 bytes.
 */
export function auditLeaf(fields: AuditFields): Buffer {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  const parsed = WrittenLeaf.safeParse({ v: 1, salt, ...fields });
  if (!parsed.success) throw new LeafError(fieldsOf(parsed.error));
  const bytes = Buffer.from(JSON.stringify(parsed.data), 'utf8');
  if (bytes.length > MAX_LEAF_BYTES) throw new LeafError();
  return bytes;
}

/**
 * Reads a leaf of any producer. Fields that a newer producer added are left out of the answer; they stay in the bytes.
 * Throws `LeafError`.
 */
export function readLeaf(bytes: Uint8Array): AuditLeaf {
  if (bytes.length > MAX_LEAF_BYTES) throw new LeafError();
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new LeafError();
  }
  const parsed = AuditLeaf.safeParse(json);
  if (!parsed.success) throw new LeafError(fieldsOf(parsed.error));
  return parsed.data;
}

function fieldsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => issue.path.join('.'));
}

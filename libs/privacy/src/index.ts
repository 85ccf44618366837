export { signingKeyFromJwk, signingKeyFromSeed, thumbprint, verifySignature } from './ed25519.ts';
export type { Ed25519PublicJwk, Ed25519SigningKey } from './ed25519.ts';
export { KeyError } from './key-provider.ts';
export type {
  DataKey,
  KeyErrorReason,
  KeyProvider,
  PublicKey,
  Signature,
  WrappedKey,
} from './key-provider.ts';
export { auditLeaf, AuditLeaf, LeafError, readLeaf } from './leaf.ts';
export type { AuditFields } from './leaf.ts';
export { openLocalKeyring } from './local-keyring.ts';
export type { LocalKeyring } from './local-keyring.ts';
export { actorTag, subjectTag } from './pseudonym.ts';
export type { TagKeys } from './pseudonym.ts';
export { ConsentReceipt, receiptKeyFromJwk, receiptKeyOf, signReceipt, verifyReceipt } from './receipt.ts';
export type { ReceiptKey, ReceiptVerdict, VerifyOptions } from './receipt.ts';
export { Sealed } from './sealed-value.ts';
export { open, seal, SealError } from './sealing.ts';
export type { OpenInput, SealInput, SealPlace } from './sealing.ts';

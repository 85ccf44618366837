import { createHash } from 'node:crypto';

/** Bytes of a SHA-256 hash. */
export const hashBytes = 32;

const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

/** The hash of an entry's bytes (RFC 6962, section 2.1): never that of an inner node. */
export function hashLeaf(entry: Uint8Array): Buffer {
  return createHash('sha256').update(leafPrefix).update(entry).digest();
}

/** The hash over two neighbours (RFC 6962, section 2.1). */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest();
}

/** The root of a tree without entries. */
export function emptyRoot(): Buffer {
  return createHash('sha256').digest();
}

/** Where an entry stands and the hashes that lead from it to the root. */
export interface InclusionProof {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Whether the tree of `size` entries with this root holds `leafHash` at `index` (RFC 9162, section 2.1.3.2). */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionProof): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes(leafHash, root, ...proof)) return false;
  let [at, last] = [index, size - 1];
  let hash: Uint8Array = leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = hashNode(sibling, hash);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = hashNode(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(hash, root);
}

/** Two sizes of one log, their roots, and the hashes that join them. */
export interface ConsistencyProof {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the newer tree begins with the older one (RFC 9162, section 2.1.4.2). An empty older tree is refused: every tree
 * begins with it, so that nothing would be shown.
 */
export function verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof }: ConsistencyProof): boolean {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize === 0 || oldSize > newSize || !areHashes(oldRoot, newRoot, ...proof)) return false;
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot);
  // Of a complete older tree the proof leaves its root out: it is known.
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof];
  let [at, last] = [oldSize - 1, newSize - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  const first = path.shift();
  if (!first) return false;
  let [older, newer] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      older = hashNode(sibling, older);
      newer = hashNode(sibling, newer);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newer = hashNode(newer, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(older, oldRoot) && equal(newer, newRoot);
}

/** The largest power of two below `size`, where RFC 6962 splits a tree; `size` is at least 2. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Sizes go beyond 32 bits: bit operators would cut them. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function isPowerOfTwo(value: number): boolean {
  return value === 1 || splitOf(value) * 2 === value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(...hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === hashBytes);
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

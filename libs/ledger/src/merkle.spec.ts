import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { emptyRoot, hashLeaf, verifyConsistency, verifyInclusion } from './merkle.ts';

interface Vector { readonly name: string; readonly proof: string[] | null; readonly wantErr: boolean }
interface InclusionVector extends Vector { readonly leafIdx: number; readonly treeSize: number; readonly root: string; readonly leafHash: string }
interface ConsistencyVector extends Vector { readonly size1: number; readonly size2: number; readonly root1: string; readonly root2: string }

const read = <T>(file: string): T[] => JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as T[];
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const proofOf = ({ proof }: Vector): Buffer[] => (proof ?? []).map(bytes);

describe('proofs of a Merkle tree', () => {
  it('are refused where the published vectors break them, and accepted where they do not: inclusion', () => {
    const vectors = read<InclusionVector>('inclusion.json');
    const verdicts = vectors.map((vector) => [vector.name, verifyInclusion({ index: vector.leafIdx, size: vector.treeSize, leafHash: bytes(vector.leafHash), proof: proofOf(vector), root: bytes(vector.root) })]);
    expect(verdicts).toEqual(vectors.map(({ name, wantErr }) => [name, !wantErr]));
    expect(vectors.filter(({ wantErr }) => wantErr).length).toBeGreaterThan(30);
  });

  it('are refused where the published vectors break them, and accepted where they do not: consistency', () => {
    const vectors = read<ConsistencyVector>('consistency.json');
    const verdicts = vectors.map((vector) => [vector.name, verifyConsistency({ oldSize: vector.size1, newSize: vector.size2, oldRoot: bytes(vector.root1), newRoot: bytes(vector.root2), proof: proofOf(vector) })]);
    expect(verdicts).toEqual(vectors.map(({ name, wantErr }) => [name, !wantErr]));
    expect(vectors.filter(({ wantErr }) => wantErr).length).toBeGreaterThan(30);
  });

  it('show nothing about an empty tree', () => {
    const leafHash = hashLeaf(Buffer.alloc(0));
    expect(verifyInclusion({ index: 0, size: 0, leafHash, proof: [], root: emptyRoot() })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, newSize: 1, oldRoot: emptyRoot(), newRoot: leafHash, proof: [] })).toBe(false);
  });
});

import { createHash } from 'node:crypto';

/** The id of the n-th seeded referral: as scattered as a random UUIDv4, and known to SQL, to pgbench and to the load process alike. */
export function referralIdOf(index: number): string {
  const hex = createHash('md5').update(String(index)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** The same id as an SQL expression of a number. */
export function referralIdSql(index: string): string {
  return `overlay(overlay(md5((${index})::text) placing '4' from 13) placing '8' from 17)::uuid`;
}

import { Id, Role } from '@amana/contracts';
import { z } from 'zod';
import { parseFileContent, readJsonFile } from './json-file.ts';

/** The audience of every access token: the network's API as one resource. */
export const API_RESOURCE = 'urn:amana:api';

/** What a token may be good for, as purpose and action. */
export const Scope = z.enum(['care:read', 'care:write', 'directory:write', 'audit:read', 'operate:write', 'report:read']);
export type Scope = z.infer<typeof Scope>;

/**
 * The widest scopes each role may ask for; an account's are the union over its roles. A scope is only the outer
 * bound: which act a role may do within it, the policy table says. Whoever is there to check or to run the
 * network reads the directory and its own inbox, and never writes to care.
 */
export const scopesOfRole: Readonly<Record<Role, readonly Scope[]>> = {
  'case-worker': ['care:read', 'care:write', 'report:read'],
  supervisor: ['care:read', 'care:write', 'report:read'],
  'focal-point': ['care:read', 'care:write', 'report:read'],
  'shelter-staff': ['care:read', 'care:write', 'report:read'],
  clinician: ['care:read', 'care:write', 'report:read'],
  coordinator: ['care:read', 'directory:write', 'report:read'],
  auditor: ['care:read', 'audit:read', 'report:read'],
  operator: ['care:read', 'operate:write', 'report:read'],
  'org-admin': ['care:read', 'care:write', 'report:read'],
};

/** The scopes an account with these roles may hold, each once. */
export function scopesOfRoles(roles: readonly Role[]): Scope[] {
  return [...new Set(roles.flatMap((role) => scopesOfRole[role]))];
}

export const StaffAccount = z.strictObject({
  username: z.string().regex(/^[a-z][a-z0-9-]{2,39}$/),
  /** The `sub` of its tokens: opaque, the same for as long as the account lives. */
  accountId: Id,
  organisationId: Id,
  roles: z.array(Role).min(1).max(4),
  displayName: z.string().min(1).max(80),
});
export type StaffAccount = z.infer<typeof StaffAccount>;

export const PartnerClient = z.strictObject({
  client_id: z.string().regex(/^[a-z][a-z0-9-]{2,39}$/),
  accountId: Id,
  organisationId: Id,
  roles: z.array(Role).min(1).max(4),
  scopes: z.array(Scope).min(1).max(6),
  /** The algorithm its assertions are signed with; ES256 unless stated. */
  alg: z.enum(['ES256', 'EdDSA']).default('ES256'),
});
export type PartnerClient = z.infer<typeof PartnerClient>;

/** The sandbox's staff accounts. Throws UnusableFile on a fault or when two share a username or an id. */
export async function readAccounts(path: string): Promise<StaffAccount[]> {
  const file = await readJsonFile(path, z.strictObject({ note: z.string(), accounts: z.array(StaffAccount).min(1).max(500) }));
  return parseFileContent(path, distinct<StaffAccount>('username'), file.accounts);
}

/** The partner systems that may ask for tokens. Throws UnusableFile on a fault or when two share a client_id or an id. */
export async function readClients(path: string): Promise<PartnerClient[]> {
  const file = await readJsonFile(path, z.strictObject({ note: z.string(), clients: z.array(PartnerClient).min(1).max(200) }));
  return parseFileContent(path, distinct<PartnerClient>('client_id'), file.clients);
}

function distinct<T extends { accountId: string }>(name: keyof T): z.ZodType<T[]> {
  return z.array(z.custom<T>()).superRefine((entries, context) => {
    for (const key of [name, 'accountId' as keyof T]) {
      const seen = new Set<unknown>();
      entries.forEach((entry, index) => {
        if (seen.has(entry[key])) context.addIssue({ code: 'custom', path: [index, key], message: 'is used twice' });
        seen.add(entry[key]);
      });
    }
  });
}

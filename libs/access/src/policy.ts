import type { Role } from '@amana/contracts';

/** How the caller's organisation stands to what is acted on. `network`: the act concerns no organisation's item. */
export type Relation = 'own' | 'sending' | 'receiving' | 'network';

/** Purpose and kind of act, as it stands in a token's `scope`. */
export type Scope = 'care:read' | 'care:write' | 'directory:write' | 'audit:read' | 'operate:write' | 'report:read';

export interface Rule {
  readonly scope: Scope;
  readonly roles: readonly Role[];
  readonly relations: readonly Relation[];
}

const worker = ['case-worker', 'supervisor'] as const;
const receiver = ['focal-point', 'shelter-staff', 'clinician'] as const;
const shelter = ['shelter-staff'] as const;
const clinic = ['clinician', 'focal-point'] as const;
const everyone = ['case-worker', 'supervisor', 'focal-point', 'shelter-staff', 'clinician', 'coordinator', 'auditor', 'operator', 'org-admin'] as const;

/** The version that audit entries name: it changes with every change of the table below. */
export const policyVersion = '2026-11-24.2';

/**
 * Who may do what: one row per act, and nothing that has no row. A role acts only for its own organisation, and only
 * in the relation that the row names; consent and state are checked by the act itself.
 */
export const policy = {
  'directory.import':        { scope: 'directory:write', roles: ['coordinator'], relations: ['network'] },
  'directory.read':          { scope: 'care:read', roles: everyone, relations: ['network'] },
  'referral.match':          { scope: 'care:read', roles: worker, relations: ['network'] },
  'referral.draft':          { scope: 'care:write', roles: worker, relations: ['network'] },
  'referral.submit':         { scope: 'care:write', roles: worker, relations: ['sending'] },
  'referral.cancel':         { scope: 'care:write', roles: worker, relations: ['sending'] },
  'referral.close-loop':     { scope: 'care:write', roles: worker, relations: ['sending'] },
  'referral.confirm-arrival':{ scope: 'care:write', roles: worker, relations: ['sending'] },
  'referral.acknowledge':    { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.accept':         { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.decline':        { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.start':          { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.complete':       { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.fail':           { scope: 'care:write', roles: receiver, relations: ['receiving'] },
  'referral.read':           { scope: 'care:read', roles: [...worker, ...receiver], relations: ['sending', 'receiving'] },
  'referral.list':           { scope: 'care:read', roles: [...worker, ...receiver], relations: ['network'] },

  'case.open':               { scope: 'care:write', roles: worker, relations: ['own'] },
  'case.import':             { scope: 'care:write', roles: worker, relations: ['own'] },
  'case.read':               { scope: 'care:read', roles: worker, relations: ['own'] },
  'case.list':               { scope: 'care:read', roles: worker, relations: ['own'] },
  'case.update':             { scope: 'care:write', roles: worker, relations: ['own'] },
  'case.close':              { scope: 'care:write', roles: worker, relations: ['own'] },
  'case.hand-to-auditor':    { scope: 'care:read', roles: ['supervisor'], relations: ['own'] },
  'consent.record':          { scope: 'care:write', roles: worker, relations: ['own'] },
  'consent.withdraw':        { scope: 'care:write', roles: worker, relations: ['own'] },
  'transfer.offer':          { scope: 'care:write', roles: worker, relations: ['own'] },
  'transfer.answer':         { scope: 'care:write', roles: worker, relations: ['receiving'] },
  'transfer.read':           { scope: 'care:read', roles: worker, relations: ['own', 'receiving'] },
  'transfer.list':           { scope: 'care:read', roles: worker, relations: ['network'] },
  'disclosure.profile':      { scope: 'care:read', roles: [...worker, ...receiver], relations: ['receiving'] },
  'disclosure.read':         { scope: 'care:read', roles: [...worker, ...receiver], relations: ['receiving'] },
  'figures.read':            { scope: 'report:read', roles: [...worker, 'coordinator'], relations: ['own'] },

  'site.manage':             { scope: 'care:write', roles: shelter, relations: ['own'] },
  'site.read':               { scope: 'care:read', roles: shelter, relations: ['own'] },
  'hold.place':              { scope: 'care:write', roles: shelter, relations: ['own'] },
  'hold.release':            { scope: 'care:write', roles: shelter, relations: ['own'] },
  'stay.read':               { scope: 'care:read', roles: shelter, relations: ['own'] },
  'arrival.plan':            { scope: 'care:write', roles: shelter, relations: ['own'] },
  'arrival.name-escort':     { scope: 'care:write', roles: worker, relations: ['sending'] },
  'arrival.open-plan':       { scope: 'care:read', roles: worker, relations: ['sending'] },
  'stay.start':              { scope: 'care:write', roles: shelter, relations: ['own'] },
  'stay.end':                { scope: 'care:write', roles: shelter, relations: ['own'] },
  'disposal.attest':         { scope: 'care:write', roles: [...shelter, ...clinic], relations: ['own'] },

  'medical.list':            { scope: 'care:read', roles: clinic, relations: ['own'] },
  'medical.read':            { scope: 'care:read', roles: clinic, relations: ['own'] },
  'appointment.book':        { scope: 'care:write', roles: clinic, relations: ['own'] },
  'appointment.record':      { scope: 'care:write', roles: clinic, relations: ['own'] },
  'consultation.record':     { scope: 'care:write', roles: clinic, relations: ['own'] },

  'notification.read':       { scope: 'care:read', roles: everyone, relations: ['network'] },
  'notification.mark-read':  { scope: 'care:write', roles: everyone, relations: ['own'] },
  'webhook.manage':          { scope: 'care:write', roles: ['org-admin'], relations: ['own'] },
  'webhook.read':            { scope: 'care:read', roles: ['org-admin'], relations: ['own'] },

  'audit.read':              { scope: 'audit:read', roles: ['auditor'], relations: ['network'] },
  'ledger.read':             { scope: 'audit:read', roles: ['auditor'], relations: ['network'] },
  'indicators.read':         { scope: 'report:read', roles: everyone, relations: ['network'] },

  'parked.read':             { scope: 'operate:write', roles: ['operator'], relations: ['network'] },
  'parked.replay':           { scope: 'operate:write', roles: ['operator'], relations: ['network'] },
  'parked.skip':             { scope: 'operate:write', roles: ['operator'], relations: ['network'] },
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof policy;

/** Whoever acts, as the token says it. */
export interface Caller {
  /** Opaque account or client id. */
  readonly subject: string;
  readonly organisationId: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly clientId: string;
}

/** The role under which an act is permitted, or undefined. Nothing is permitted that no row names. */
export function permittedRole(caller: Caller, action: Action): Role | undefined {
  const rule: Rule = policy[action];
  if (!caller.scopes.includes(rule.scope)) return undefined;
  return rule.roles.find((role) => caller.roles.includes(role));
}

/** Whether one of these relations satisfies the act's row. */
export function relationSuffices(action: Action, relations: readonly Relation[]): boolean {
  const rule: Rule = policy[action];
  return relations.some((relation) => rule.relations.includes(relation));
}

import { describe, expect, it } from '@jest/globals';
import { type Caller, permittedRole, policy, relationSuffices } from './policy.ts';

const caller: Caller = { subject: 's', organisationId: 'o', roles: ['clinician'], scopes: ['care:read'], clientId: 'c' };

describe('the policy table', () => {
  it('refuses a role that the row does not name', () => {
    expect(permittedRole(caller, 'case.read')).toBeUndefined();
  });

  it('refuses a named role whose token lacks the scope', () => {
    expect(permittedRole(caller, 'referral.accept')).toBeUndefined();
  });

  it('refuses every act in a relation that its row does not name', () => {
    expect(relationSuffices('referral.accept', ['sending', 'own', 'network'])).toBe(false);
    expect(relationSuffices('referral.accept', [])).toBe(false);
  });

  it('names the role under which an act is permitted', () => {
    expect(permittedRole(caller, 'medical.read')).toBe('clinician');
    expect(relationSuffices('medical.read', ['own'])).toBe(true);
  });

  it('gives an auditor and an operator no act of care', () => {
    const care = Object.entries(policy).filter(([, rule]) => rule.scope.startsWith('care:') && (rule.roles as readonly string[]).some((role) => role === 'auditor' || role === 'operator'));
    expect(care.map(([action]) => action)).toEqual(['directory.read', 'notification.read', 'notification.mark-read']);
  });
});

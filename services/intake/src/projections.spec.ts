import { describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '@amana/persistence';
import { IntakeService } from './intake.module.ts';

const at = new Date('2023-03-01T10:00:00.000Z');
const [id, org, other] = ['0a5a7b1c-3c63-4d0f-9b53-0c5a4d3a7f10', '4dad89d7-869e-466d-b732-3e60761de948', '77f26e51-b398-4206-8088-26e3b781a8e4'];
const consent = { consentRef: id, organisationId: other, categories: ['identity'], purpose: 'service', givenAt: at.toISOString(), until: at.toISOString(), language: 'fr' };
const data: Record<string, unknown> = {
  'intake.case-opened.v1': { organisationId: org }, 'intake.case-imported.v1': { organisationId: org }, 'intake.case-transferred-in.v1': { organisationId: org }, 'intake.transfer-settled.v1': { transferId: id, outcome: 'accepted' },
  'intake.screened.v1': { outcome: 'presumed', reportingConsent: false }, 'intake.count-noted.v1': { indicator: 'identified', month: '2023-03' }, 'intake.consent-given.v1': { caseId: id, ownerOrg: org, consent },
  'intake.transfer-prepared.v1': { caseId: id }, 'intake.transfer-offered.v1': { transferId: id, fromOrg: org, toOrg: other, consentRef: id, expiresAt: at.toISOString() },
};
const events = [...new Set(IntakeService.projections.flatMap((projection) => projection.on))].map((type): StoredEvent => (
  Object.freeze({ id, stream: id, version: 3, type, topic: null, key: id, data: Object.freeze(data[type] ?? {}), meta: {}, at })
));
const project = () => events.flatMap((event) => IntakeService.projections.filter((projection) => projection.on.includes(event.type)).flatMap((projection) => projection.project(event)));

describe('the read tables', () => {
  it('follow an event in the same way each time, and leave it as it is', () => {
    expect(project()).toEqual(project());
    expect(events.length).toBeGreaterThan(20);
  });

  it('give each statement a name of its own: the server keeps one text for a name', () => {
    const texts = new Map<string, string>();
    for (const { name, text } of project()) {
      expect(texts.get(name) ?? text).toBe(text);
      texts.set(name, text);
    }
    expect(texts.size).toBeGreaterThan(8);
  });

  it('destroy the key of a case in which she declined services', () => {
    expect(project().filter(({ name }) => name === 'case-key-destroy').map(({ values }) => values)).toEqual([[id]]);
  });
});

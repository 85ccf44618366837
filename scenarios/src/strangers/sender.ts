import { Api, until } from './api.ts';

// A partner system of an association: it opens a case, asks what she agrees to, refers her to a clinic and closes the loop.

const dayMs = 86_400_000;
const consented = ['demographics', 'health-general'];
const her = { sex: 'female', ageBand: '25-34', languages: ['fr'] };
const region = 'MA-09';

const api = await Api.fromCommandLine();
const organisationId = api.organisationId;

/** A case with all that a referral asks for: who she is, what she needs, how she can be reached. */
async function openCase(): Promise<string> {
  const at = new Date(Date.now() - 60_000);
  const opened = await api.call('post', 'intake/{}/cases', {
    path: { organisationId },
    body: {
      firstContact: {
        at: at.toISOString(), channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, confidentialityLimitsExplainedAt: new Date(at.getTime() - 600_000).toISOString(), declinesServices: false,
      },
      person: { identity: { givenName: 'Verlaine', familyName: 'Tazmurt' }, contact: { phone: '+212600000441' }, ...her, capacityToConsent: 'yes' },
      region,
    },
  });
  const path = { organisationId, caseId: String(opened.body.caseId) };
  await api.call('post', 'cases/{}/screening', { path, body: { outcome: 'presumed', indicatorCodes: ['FalsePromises'], reportingConsent: true } });
  await api.call('post', 'cases/{}/needs', { path, body: { needs: ['health'], urgency: 'urgent' } });
  await api.call('post', 'cases/{}/notes', { path, body: { category: 'health-general', text: 'An old burn on the hand; no allergy known.' } });
  await api.call('post', 'cases/{}/safe-contact', {
    path, body: { channel: 'phone', when: 'Tuesdays before noon', voicemail: false, phoneShared: true, codeName: 'the bakery', reviewOn: new Date(Date.now() + 20 * dayMs).toISOString().slice(0, 10) },
  });
  return path.caseId;
}

/** The first service that fits, and her signed consent to it. */
async function agree(caseId: string): Promise<{ serviceId: string; receipt: string }> {
  const { body: matches } = await api.call('post', 'matches', { body: { kind: 'health', ...her, dependantsCount: 0, region } });
  const fitting = (matches.items as { serviceId: string; organisationId: string; fits: boolean }[]).find(({ fits }) => fits);
  if (!fitting) throw new Error('No clinic fits');
  const { serviceId } = fitting;
  const { body: conversation } = await api.call('post', 'cases/{}/consents', {
    path: { organisationId, caseId },
    body: {
      conversation: { at: new Date().toISOString(), language: 'fr', method: 'oral', witnessed: true, alone: true },
      recipients: [{ organisationId: fitting.organisationId, serviceId, categories: consented, purpose: 'service' }],
      decision: 'given',
    },
  });
  const [consent] = conversation.consents as { receipt: string }[];
  return { serviceId, receipt: consent!.receipt };
}

const caseId = await openCase();
const recipient = await agree(caseId);
const drafted = await api.call('post', 'referral/referrals', { body: { recipients: [recipient], urgency: 'urgent' } });
const path = { referralId: String(drafted.body.referralId) };
await api.call('post', 'referrals/{}/submission', { path, body: {} });
await until('the completed referral', async () => (await api.call('get', 'referral/referrals/{}', { path })).body.status === 'completed' || undefined);
const closed = await api.call('post', 'referrals/{}/closure', { path, body: { followUp: 'received' } });
const handedOver = await api.call('post', 'cases/{}/audit-handovers', { path: { organisationId, caseId }, body: { reasonCode: 'yearly-review' } });
console.log(JSON.stringify({ referralId: path.referralId, status: closed.body.status, consented, handedOver: handedOver.body }));

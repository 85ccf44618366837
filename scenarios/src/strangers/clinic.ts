import { Api, until } from './api.ts';

// A clinic's system: it finds who is sent to it, says yes, reads what she consented to, and sees her.

const api = await Api.fromCommandLine();
const organisationId = api.organisationId;

interface Listed { readonly referralId: string }

const { referralId } = await until('a referral to this clinic', async () => {
  const { body } = await api.call('get', 'medical-referrals', { path: { organisationId }, query: { status: 'asked', limit: '10' } });
  return (body.items as Listed[])[0];
});
const path = { referralId };
const { body: referral } = await api.call('get', 'referral/referrals/{}', { path });
const links = referral.links as { profile: string; disclosure: string };
const { body: profile } = await api.follow(links.profile);
await api.call('post', 'referrals/{}/acknowledgement', { path, body: {} });
await api.call('post', 'referrals/{}/acceptance', { path, body: { responsibleRole: 'nurse' } });

const { body: disclosure } = await api.follow(links.disclosure);
const own = { organisationId, referralId };
const booked = await api.call('post', 'medical-referrals/{}/appointments', {
  path: own, body: { startsAt: new Date(Date.now() + 2 * 86_400_000).toISOString(), clinicianSex: 'female', accompaniment: true },
});
await api.call('post', 'appointments/{}/attendance', { path: { ...own, appointmentId: String(booked.body.appointmentId) }, body: { attended: true } });
const seen = await api.call('post', 'medical-referrals/{}/outcome', { path: own, body: { outcomeCode: 'treated', outcome: 'delivered' } });
console.log(JSON.stringify({ referralId, status: seen.body.status, profile: Object.keys(profile), disclosed: Object.keys(disclosure.data as object) }));

import { healthEvents, privateEvent } from '@amana/contracts';
import { DisposalAwaited, type Holding } from '@amana/holding';

/** A clinic holds data of the referrals it said yes to. A treatment that goes on keeps its own record. */
export const holding: Holding = {
  acknowledges: healthEvents.ConsentWithdrawalAcknowledged,
  awaits: privateEvent('health.disposal-awaited.v1', DisposalAwaited),
  attests: healthEvents.DataDisposalAttested,
  heldUnder: (consentRef) => ({
    name: 'health-consent-held', values: [consentRef],
    text: 'SELECT r.organisation_id, e.dispose_not_before FROM medical_referral r JOIN ended_consent e USING (consent_ref) WHERE r.consent_ref = $1 AND r.data_held LIMIT 1',
  }),
  destroyKeysOf: (consentRef) => ({
    name: 'health-destroy-keys', values: [consentRef],
    text: `UPDATE keys.case_key SET wrapped = '', destroyed_at = now() WHERE destroyed_at IS NULL AND case_id IN
      (SELECT referral_id FROM medical_referral WHERE consent_ref = $1 AND status IN ('completed', 'ended'))`,
  }),
};

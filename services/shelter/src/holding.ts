import { privateEvent, shelterEvents } from '@amana/contracts';
import { DisposalAwaited, type Holding } from '@amana/holding';

/** A shelter holds data of the referrals it holds or held a bed for. What a running stay needs is kept. */
export const holding: Holding = {
  acknowledges: shelterEvents.ConsentWithdrawalAcknowledged,
  awaits: privateEvent('shelter.disposal-awaited.v1', DisposalAwaited),
  attests: shelterEvents.DataDisposalAttested,
  heldUnder: (consentRef) => ({
    name: 'shelter-consent-held', values: [consentRef],
    text: 'SELECT r.organisation_id, e.dispose_not_before FROM shelter_referral r JOIN ended_consent e USING (consent_ref) WHERE r.consent_ref = $1 AND r.data_held LIMIT 1',
  }),
  destroyKeysOf: (consentRef) => ({
    name: 'shelter-destroy-keys', values: [consentRef],
    text: `UPDATE keys.case_key SET wrapped = '', destroyed_at = now() WHERE destroyed_at IS NULL AND case_id IN
      (SELECT h.hold_id FROM hold h JOIN shelter_referral r USING (referral_id) WHERE r.consent_ref = $1 AND h.state NOT IN ('unconfirmed', 'confirmed', 'occupied'))`,
  }),
};

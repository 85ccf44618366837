import { startFromEnvironment } from '@amana/service';
import { ReferralService } from './referral.module.ts';

await startFromEnvironment(ReferralService);

// plants: domain-knows-ring-0-only
import { sealing } from '../../../../libs/privacy/src/index.ts';

export const decide = sealing;

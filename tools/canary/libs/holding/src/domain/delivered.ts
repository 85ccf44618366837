// plants: domain-knows-ring-0-only
import { relaying } from '../../../messaging/src/index.ts';

export const decide = relaying;

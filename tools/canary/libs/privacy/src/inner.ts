// plants: ring-1-knows-ring-0-only
import { relaying } from '../../messaging/src/index.ts';

export const inner = relaying;

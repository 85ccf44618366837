// plants: domain-knows-ring-0-only
import { closing } from '../commands/close.ts';

export const decide = closing;

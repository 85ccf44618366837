// plants: ring-0-knows-no-other-ring
import { sealing } from '../../privacy/src/index.ts';

export const sealed = sealing;

// plants: ring-2-knows-no-ring-3
import { disposing } from '../../holding/src/index.ts';

export const outer = disposing;

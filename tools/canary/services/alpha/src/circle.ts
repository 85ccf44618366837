// The other half of the cycle that circle-back.ts plants.
import { back } from './circle-back.ts';

export const forth = (): unknown => back;

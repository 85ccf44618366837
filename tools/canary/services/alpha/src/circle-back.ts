// plants: no-cycles
import { forth } from './circle.ts';

export const back = (): unknown => forth;

// plants: slices-stand-alone
import { closing } from './close.ts';

export const opening = closing;

// plants: slices-stand-alone
import { listing } from '../reads/list.ts';

export const watching = listing;

// plants: product-knows-no-stage
import { given } from '../../../libs/testing/src/index.ts';

export const rehearsed = given;

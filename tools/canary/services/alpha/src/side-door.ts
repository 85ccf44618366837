// plants: libraries-have-one-door
import { inner } from '../../../libs/privacy/src/inner.ts';

export const taken = inner;

// plants: everything-resolves
// @ts-expect-error It does not exist: that is the point.
import { nothing } from './not-there.ts';

export const found: unknown = nothing;

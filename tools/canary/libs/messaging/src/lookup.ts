// plants: libraries-know-no-service
import { secret } from '../../../services/beta/src/secret.ts';

export const looked = secret;

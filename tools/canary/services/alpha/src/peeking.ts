// plants: no-service-to-service
import { secret } from '../../beta/src/secret.ts';

export const peeked = secret;

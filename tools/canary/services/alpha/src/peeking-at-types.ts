// plants: no-service-to-service
import type { Secret } from '../../beta/src/secret.ts';

export type Peeked = Secret;

import { inboxCheck } from './inbox-check.ts';
import { noExclude } from './no-exclude.ts';
import type { Plant } from './plant.ts';
import { publishBeforeCommit } from './publish-before-commit.ts';

/** The bugs that the checker must find, or the campaign would prove nothing. */
export const plants: readonly Plant[] = [inboxCheck, publishBeforeCommit, noExclude];

// plants: domain-is-pure-of-node
import { readFileSync } from 'node:fs';

export const decide = readFileSync;

export * from './eventually.ts';
export * from './given.ts';

export * from './eventually.ts';
export * from './given.ts';
export * from './intake-desk.ts';
export * from './one-service.ts';
export * from './throwaway-database.ts';

export * from './eventually.ts';
export * from './given.ts';
export * from './one-service.ts';
export * from './throwaway-database.ts';

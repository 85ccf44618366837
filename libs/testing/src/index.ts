export * from './eventually.ts';
export * from './given.ts';
export * from './house.ts';
export * from './intake-desk.ts';
export * from './one-engine.ts';
export * from './one-service.ts';
export * from './throwaway-database.ts';
export * from './test-log.ts';

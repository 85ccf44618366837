export * from './disposals.ts';
export * from './domain/disposal.ts';
export * from './on-consent-withdrawn.ts';

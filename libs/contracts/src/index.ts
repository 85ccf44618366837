export * from './event.ts';
export * from './codes.ts';
export * from './refusal.ts';
export * from './catalogue.ts';
export * from './events/audit-events.ts';
export * from './events/holder-events.ts';
export * from './events/intake-events.ts';
export * from './events/referral-events.ts';

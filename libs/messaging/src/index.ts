export * from './alarm.ts';
export * from './cloud-event.ts';
export * from './codec.ts';
export * from './leader-lock.ts';
export * from './snapshot-cursor.ts';

export * from './merkle.ts';
export * from './notes.ts';
export * from './tiles.ts';

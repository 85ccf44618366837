// Allowed, or only there to be imported.
export type Secret = string;
export const secret: Secret = 'secret';

// Allowed, or only there to be imported.
export const listing = 'listing';

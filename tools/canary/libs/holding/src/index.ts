// Allowed, or only there to be imported.
export const disposing = 'disposing';

// plants: domain-reads-no-clock
export const decide = (): number => Date.now();

/** Looks again until `probe` answers something, at most `withinMs`; throws what it last saw otherwise. For what no event announces to a test. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>, options: { withinMs?: number; what?: string } = {}): Promise<T> {
  const untilMs = Date.now() + (options.withinMs ?? 20_000);
  let last: unknown;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 1.5, 250)) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() + waitMs > untilMs) throw new Error(`Not seen in time: ${options.what ?? 'the awaited state'}`, { cause: last });
    await new Promise((resolve) => { setTimeout(resolve, waitMs); });
  }
}

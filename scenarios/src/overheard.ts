export interface Exchange {
  readonly path: string;
  readonly status: number;
  readonly sent: string;
  readonly got: string;
}

/** What the callers of this process sent and were answered, as it went over the wire. */
export class Overheard {
  readonly exchanges: Exchange[] = [];
  readonly #fetch = globalThis.fetch;

  /** Listens until `stop`. With `headers`, every request says these too, as a partner's own instruments might. */
  constructor(headers: Readonly<Record<string, string>> = {}) {
    globalThis.fetch = async (input, init = {}) => {
      const response = await this.#fetch(input, { ...init, headers: { ...headers, ...(init.headers as Record<string, string> | undefined) } });
      const url = new URL(input instanceof Request ? input.url : input);
      this.exchanges.push({ path: url.pathname, status: response.status, sent: typeof init.body === 'string' ? init.body : '', got: await response.clone().text() });
      return response;
    };
  }

  stop(): void {
    globalThis.fetch = this.#fetch;
  }
}

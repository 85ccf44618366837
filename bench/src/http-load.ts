import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { referralIdOf } from './referral-ids.ts';

/** What the load process is told by its first message. */
export interface LoadJob {
  readonly url: string;
  readonly token: string;
  /** `acceptance` or `acknowledgement`: the last part of the path. */
  readonly act: string;
  readonly body: string;
  readonly connections: number;
  /** Referrals are taken by number from here on, each once. */
  readonly firstReferral: number;
  /** Acts before this has passed are made but not counted. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Acts a second at an even pace, whatever the answers take; without it each connection acts again as soon as it is answered. */
  readonly perSecond?: number;
}

export interface LoadResult {
  /** Acts answered with 200 while it was measured. */
  readonly done: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  readonly nextReferral: number;
  /** The first answer that was not a 200, if there was one. */
  readonly failure?: string;
}

/**
 * The lean side of a benchmark over HTTP: on two cores a full client would take from the service what it measures.
 * It writes ready-made requests to plain sockets and reads no more of an answer than its status and length.
 */
class Load {
  readonly #job: LoadJob;
  readonly #startMs = performance.now();
  readonly #latenciesMs: number[] = [];
  #next: number;
  #failure: string | undefined;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#next = job.firstReferral;
  }

  async run(): Promise<LoadResult> {
    const { connections, perSecond, warmUpMs, measureMs } = this.#job;
    const lines = await Promise.all(Array.from({ length: connections }, () => Line.open(this.#job.url)));
    const endMs = this.#startMs + warmUpMs + measureMs;
    if (perSecond === undefined) await Promise.all(lines.map((line) => this.#closedLoop(line, endMs)));
    else await this.#paced(lines, endMs, perSecond);
    const seconds = (performance.now() - this.#startMs - warmUpMs) / 1000;
    for (const line of lines) line.close();
    return { done: this.#latenciesMs.length, seconds, latenciesMs: this.#latenciesMs, nextReferral: this.#next, ...(this.#failure === undefined ? {} : { failure: this.#failure }) };
  }

  async #closedLoop(line: Line, endMs: number): Promise<void> {
    while (performance.now() < endMs && this.#failure === undefined) await this.#act(line);
  }

  /** Open loop: a slow answer does not delay the next act, as long as a connection is free. */
  async #paced(lines: readonly Line[], endMs: number, perSecond: number): Promise<void> {
    const free = [...lines];
    const under: Promise<void>[] = [];
    for (let turn = 0; performance.now() < endMs && this.#failure === undefined; turn += 1) {
      const line = free.pop();
      if (line) under.push(this.#act(line).then(() => { free.push(line); }));
      else this.#failure = 'every connection was busy when the next act was due';
      const waitMs = this.#startMs + ((turn + 1) * 1000) / perSecond - performance.now();
      if (waitMs > 0) await new Promise((resolve) => { setTimeout(resolve, waitMs); });
    }
    await Promise.all(under);
  }

  async #act(line: Line): Promise<void> {
    const { act, body, token, url, warmUpMs } = this.#job;
    const path = `/v1/referral/referrals/${referralIdOf(this.#next)}/${act}`;
    this.#next += 1;
    const sentMs = performance.now();
    const answer = await line.ask(`POST ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
      + `idempotency-key: ${randomUUID()}\r\nif-match: "2"\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    if (!answer.startsWith('HTTP/1.1 200 ')) this.#failure ??= answer.slice(0, 1_500);
    else if (sentMs >= this.#startMs + warmUpMs) this.#latenciesMs.push(performance.now() - sentMs);
  }
}

/** One connection with one request on its way at a time. */
class Line {
  readonly #socket: Socket;
  #heard = '';
  #answered: (answer: string) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#heard += chunk;
      const bodyAt = this.#heard.indexOf('\r\n\r\n') + 4;
      if (bodyAt < 4) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#heard)?.[1] ?? 0);
      if (this.#heard.length < bodyAt + length) return;
      const answer = this.#heard;
      this.#heard = '';
      this.#answered(answer);
    });
    socket.on('close', () => this.#answered('the connection was closed'));
    socket.on('error', () => {});
  }

  static async open(url: string): Promise<Line> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
    return new Line(socket);
  }

  ask(request: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

if (isMainThread && process.send) {
  process.once('message', (job: LoadJob) => {
    void new Load(job).run().then((result) => { process.send!(result); });
  });
  // Not right after the result: whoever waits for it may hear of the end first.
  process.once('disconnect', () => process.exit(0));
}

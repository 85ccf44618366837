import type { Server } from 'node:http';
import type { Clock, Database, DueWorker } from '@amana/persistence';
import type { Bus } from '@amana/messaging';
import { flushTraces } from '@amana/telemetry';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ServiceState } from './system-routes.ts';

/** Stopping takes this long at most; then the process is left to be killed, and the inbox makes up for it. */
const stopWithinMs = 20_000;

/** A service that serves, and how it stops: readiness off, bus, due rows, relay drained, HTTP, connections. */
export class RunningService extends ServiceState {
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';
  #alive = true;
  #stopped: Promise<void> | undefined;
  #describe: () => Promise<Record<string, unknown>> = () => Promise.resolve({});
  #document: Promise<Record<string, unknown>> | undefined;
  app!: NestFastifyApplication;
  bus!: Bus;
  database!: Database;
  due!: DueWorker;
  clock!: Clock;
  url = '';
  #atStop: () => void = () => {};
  readonly #died = Promise.withResolvers<void>();

  get started(): boolean {
    return this.#phase !== 'starting';
  }

  get ready(): boolean {
    return this.#phase === 'ready' && this.#alive && this.bus.ready();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Resolves when only a restart helps. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  /** Written when somebody first asks for it. */
  document(): Promise<Record<string, unknown>> {
    this.#document ??= this.#describe();
    return this.#document;
  }

  describe(write: () => Promise<Record<string, unknown>>): void {
    this.#describe = write;
  }

  /** What else ends with the service. */
  onStop(action: () => void): void {
    this.#atStop = action;
  }

  markReady(): void {
    this.#phase = 'ready';
  }

  /** The consumer stopped for good: only a restart helps, and the probe must say so. */
  markDead(): void {
    this.#alive = false;
    this.#died.resolve();
  }

  /** Ends everything in order; answered requests and acknowledged messages stay done. A second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#atStop();
    const orderly = (async () => {
      await this.due.stop();
      await this.bus.stop();
      (this.app.getHttpServer() as Server).closeIdleConnections?.();
      await this.app.close();
      await this.database.close();
      await flushTraces();
    })();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, stopWithinMs); });
    await Promise.race([orderly, late]);
    clearTimeout(timer);
  }
}

import { applyDecorators, Catch, type ExceptionFilter, UseFilters } from '@nestjs/common';
import { BaseRpcContext, Ctx, type CustomTransportStrategy, EventPattern, type MessageHandler, Payload, Server } from '@nestjs/microservices';
import type { DueHandler, Transaction } from '@amana/persistence';
import { lastValueFrom, type Observable, throwError } from 'rxjs';
import type { Bus } from './bus.ts';
import type { ReceivedEvent } from './codec.ts';
import { type EventHandler, Inbox, type InboxOptions } from './inbox.ts';

/** What a reaction gets beside its event: the open transaction in which its effect has to happen. */
export class InboxContext extends BaseRpcContext<[Transaction]> {
  getTransaction(): Transaction {
    return this.args[0];
  }
}

/** Hands a reaction's error on as it is: the inbox decides by its class what becomes of the message. */
@Catch()
export class RethrowFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/**
 * Marks a method as the reaction to one event type, or to several: `(event: ReceivedEvent<...>, context: InboxContext)`.
 * It brings its own error filter, so that a filter made for HTTP never answers for it.
 */
export function Reaction(...types: [string, ...string[]]): MethodDecorator {
  return (target, method, descriptor) => {
    // Without these, NestJS hands over the first argument only.
    Payload()(target, method, 0);
    Ctx()(target, method, 1);
    applyDecorators(EventPattern<string[]>(types), UseFilters(RethrowFilter))(target, method, descriptor);
  };
}

export interface InboxTransportOptions extends Omit<InboxOptions, 'handlers'> {
  readonly bus: Bus;
}

/**
 * NestJS transport for reactions: routes by event type, one handler per type, each call inside the inbox's transaction.
 * Connect it with `app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true })`.
 */
export class InboxTransport extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('amana-inbox');
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: InboxTransportOptions;
  #inbox: Inbox | undefined;

  constructor(options: InboxTransportOptions) {
    super();
    this.#options = options;
  }

  /** For the service's DueWorker, under `parkedKind`. Before the transport listens it fails, and the worker tries again. */
  readonly parkedHandler: DueHandler = (due, tx) => this.unwrap<Inbox>().parkedHandler(due, tx);

  /** Subscribes; answers an error for a handler that cannot be served: two for one type, or one that wants to reply. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    let failure: unknown;
    await this.#listen().catch((error: unknown) => { failure = error; });
    callback(failure);
  }

  /** The bus is stopped by whoever opened it, after the requests under way have ended. */
  close(): void {}

  on(): void {}

  /** The inbox, once it listens. */
  unwrap<T>(): T {
    if (!this.#inbox) throw new Error('The inbox does not listen yet');
    return this.#inbox as T;
  }

  async #listen(): Promise<void> {
    const { bus, ...options } = this.#options;
    const handlers = new Map([...this.messageHandlers].map(([type, handler]) => [type, this.#toEventHandler(type, handler)]));
    this.#inbox = new Inbox({ ...options, onCommitted: options.onCommitted ?? ((): void => bus.poke()), handlers });
    if (handlers.size > 0) await bus.subscribe(this.#inbox);
  }

  #toEventHandler(type: string, handler: MessageHandler): EventHandler {
    if (!handler.isEventHandler) throw new Error(`${type}: nothing is answered over the bus, use @Reaction`);
    if (handler.next) throw new Error(`${type}: two reactions in one consumer; their effects would not be one`);
    return async (event: ReceivedEvent, tx: Transaction) => {
      const result = this.transformToObservable(await handler(event, new InboxContext([tx])) as unknown);
      // A handler may answer an Observable that is empty: without a default that would be an error, and a retry for ever.
      await lastValueFrom(result as Observable<unknown>, { defaultValue: undefined });
    };
  }
}

import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, map, type Observable } from 'rxjs';
import { Denied } from './denied.ts';
import { routeOf } from './route.ts';
import { StreamEngine } from './stream.ts';

/**
 * The last thing before an answer leaves: fields that the route does not declare are taken out, so that a query which
 * selects too much tells nobody more; and a denial is on record before it is answered.
 */
@Injectable()
export class EdgeInterceptor implements NestInterceptor {
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const answer = context.getType() === 'http' ? routeOf(context.getHandler())?.answer : undefined;
    return next.handle().pipe(
      map((value: unknown) => (answer ? answer.parse(value) : value)),
      catchError(async (error: unknown) => {
        if (error instanceof Denied) await this.#engine.recordDenial(error.act, error.subject);
        throw error;
      }),
    );
  }
}

import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, map, type Observable } from 'rxjs';
import type { HttpReply, HttpRequest } from './act.ts';
import { Denied } from './denied.ts';
import { pages, routeOf } from './route.ts';
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
    const route = context.getType() === 'http' ? routeOf(context.getHandler()) : undefined;
    return next.handle().pipe(
      map((value: unknown) => {
        const answer = route?.answer ? route.answer.parse(value) : value;
        if (route && pages(route)) linkNext(context, answer);
        return answer;
      }),
      catchError(async (error: unknown) => {
        if (error instanceof Denied) await this.#engine.recordDenial(error.act, error.subject);
        throw error;
      }),
    );
  }
}

/** The next page's address (RFC 8288): the same question, from where this page ended. */
function linkNext(context: ExecutionContext, answer: unknown): void {
  const { next } = answer as { next?: string | number };
  if (next === undefined) return;
  const http = context.switchToHttp();
  const asked = new URL(http.getRequest<HttpRequest>().url, 'http://localhost');
  asked.searchParams.set('after', String(next));
  http.getResponse<HttpReply>().header('link', `<${asked.pathname}${asked.search}>; rel="next"`);
}

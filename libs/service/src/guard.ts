import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { permittedRole } from '@amana/access';
import { Refusal } from '@amana/contracts';
import { setRoute } from '@amana/telemetry';
import { Act, type HttpReply, type HttpRequest } from './act.ts';
import { Authenticator } from './authenticator.ts';
import { allowOf, routeOf } from './route.ts';
import { StreamEngine } from './stream.ts';

/** Lets in whoever the policy table names for the route's act; everybody else is refused, known callers on record. */
@Injectable()
export class PolicyGuard implements CanActivate {
  readonly #authenticator: Authenticator;
  readonly #engine: StreamEngine;

  constructor(authenticator: Authenticator, engine: StreamEngine) {
    this.#authenticator = authenticator;
    this.#engine = engine;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const action = allowOf(context.getHandler());
    const route = routeOf(context.getHandler());
    if (!action || !route) throw new Error('A route without a policy is not served');
    const request = context.switchToHttp().getRequest<HttpRequest>();
    setRoute(`${route.method} ${route.path}`);
    if (action === 'public') return true;
    const { authorization } = request.headers;
    request.caller = await this.#authenticator.authenticate(typeof authorization === 'string' ? authorization : undefined);
    const role = permittedRole(request.caller, action);
    request.role = role ?? request.caller.roles[0]!;
    if (role) return true;
    const act = new Act({ route, action, request, reply: context.switchToHttp().getResponse<HttpReply>() });
    await this.#engine.recordDenial(act, { type: 'route', aggregateId: action });
    throw new Refusal('forbidden');
  }
}

import { randomUUID } from 'node:crypto';
import type { Action } from '@amana/access';
import { Refusal, type Role } from '@amana/contracts';
import { Act, allowOf, routeOf } from '@amana/service';

/** A request by a caller whom the edge has let in already, as this role. */
export interface SliceCall {
  readonly role: Role;
  readonly scopes: readonly string[];
  /** The caller's; a stranger's unless given. */
  readonly organisationId?: string;
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: object;
  readonly ifMatch?: string;
  readonly key?: string;
}

type Handler = (act: never) => unknown;
type HandlersOf<Slice> = { [Name in keyof Slice]: Slice[Name] extends Handler ? Name : never }[keyof Slice];
type AnswerOf<Method> = Method extends (act: never) => infer Answer ? Answer : never;

/** Hands a request to a route of this slice as the edge does, and answers what the route answers. */
export function callSlice<Slice extends object, Name extends HandlersOf<Slice>>(slice: Slice, name: Name, call: SliceCall): AnswerOf<Slice[Name]> {
  const handler = slice[name] as Handler;
  const route = routeOf(handler);
  if (!route) throw new RangeError(`${String(name)} is no route`);
  const request = {
    id: randomUUID(), url: route.path, params: call.params ?? {}, query: call.query ?? {}, body: Buffer.from(JSON.stringify(call.body ?? {})),
    headers: { 'idempotency-key': call.key ?? randomUUID(), 'if-match': call.ifMatch }, role: call.role,
    caller: { subject: 'somebody', organisationId: call.organisationId ?? randomUUID(), roles: [call.role], scopes: [...call.scopes], clientId: 'client' },
  };
  const act = new Act({ route, action: allowOf(handler) as Action, request, reply: { header: () => {}, status: () => {} } });
  return handler.call(slice, act as never) as AnswerOf<Slice[Name]>;
}

/** The code with which it was refused, or `done`. Any other error is thrown. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

import { applyDecorators, Delete, Get, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';
import type { Action } from '@amana/access';
import type { RefusalCode } from '@amana/contracts';
import type { z } from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface RouteOptions {
  /** One line for the reader of the API document. */
  readonly summary: string;
  /** The body's schema. A command without a body takes `{}`. */
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  /** What is answered; fields that it does not declare are taken out before the answer leaves. */
  readonly answer?: z.ZodType;
  readonly status?: number;
  /** Commands on something that does not exist yet take no If-Match. */
  readonly creates?: boolean;
  readonly refusals?: readonly RefusalCode[];
  /** For whoever runs the service: not passed on at the network's door, and not in its document. */
  readonly internal?: boolean;
}

export interface Route extends RouteOptions {
  readonly method: Method;
  /** Nothing is changed: neither Idempotency-Key nor If-Match is asked for. */
  readonly reads?: boolean;
  /** With `:name` parameters, from `/v1/...` on. */
  readonly path: string;
}

const routeKey = 'amana:route';
const allowKey = 'amana:allow';

/** Declares who may call a route: a row of the policy table, or `public` for what tells nothing about anyone. A route without it does not boot. */
export const Allow = (action: Action | 'public') => SetMetadata(allowKey, action);

/** Declares a route that changes something: `POST /v1/...`, or PUT and DELETE where repeating it is harmless. */
export function Command(route: `${'POST' | 'PUT' | 'DELETE'} /v1/${string}`, options: RouteOptions): MethodDecorator {
  return declare(route, { status: options.creates ? 201 : 200, ...options });
}

/** Declares a route that only answers; POST where the question must not stand in a URL. */
export function Read(route: `${'GET' | 'POST'} /v1/${string}`, options: RouteOptions): MethodDecorator {
  return declare(route, { status: 200, ...options, reads: true });
}

function declare(declaration: string, options: RouteOptions & { status: number; reads?: boolean }): MethodDecorator {
  const [method, path] = declaration.split(' ') as [Method, string];
  const verb = { GET: Get, POST: Post, PUT: Put, DELETE: Delete }[method];
  return applyDecorators(verb(path), HttpCode(options.status), SetMetadata(routeKey, { ...options, method, path } satisfies Route));
}

export function routeOf(handler: object): Route | undefined {
  return Reflect.getMetadata(routeKey, handler) as Route | undefined;
}

/** Whether a route answers a list page by page. */
export function pages(route: Route): boolean {
  return route.method === 'GET' && route.query !== undefined && 'after' in route.query.shape;
}

export function allowOf(handler: object): Action | 'public' | undefined {
  return Reflect.getMetadata(allowKey, handler) as Action | 'public' | undefined;
}

export interface DeclaredRoute {
  readonly route: Route;
  readonly action: Action | 'public';
}

/** Every declared route of these controllers. Throws when one lacks its policy or its declaration: such a service must not boot. */
export function routesOf(controllers: readonly (new (...args: never[]) => object)[]): DeclaredRoute[] {
  return controllers.flatMap((controller) => Object.entries(Object.getOwnPropertyDescriptors(controller.prototype as object))
    .filter(([name, descriptor]) => name !== 'constructor' && typeof descriptor.value === 'function' && Reflect.hasMetadata('path', descriptor.value as object))
    .map(([name, descriptor]) => {
      const route = routeOf(descriptor.value as object);
      const action = allowOf(descriptor.value as object);
      if (!route) throw new Error(`${controller.name}.${name} is a route that is not declared by @Command or @Read`);
      if (!action) throw new Error(`${controller.name}.${name} has no @Allow: a route without a policy does not boot`);
      return { route, action };
    }));
}

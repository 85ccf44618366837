import { type Action, policy, type Scope } from '@amana/access';
import { type RefusalCode, refusals } from '@amana/contracts';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiParameters } from 'zod-openapi';
import type { ServiceDefinition } from './define-service.ts';
import { OperatorRoutes } from './operator-routes.ts';
import { Problem } from './problem.ts';
import { type DeclaredRoute, pages, type Route, routesOf } from './route.ts';
import { SystemRoutes } from './system-routes.ts';

const scopeTexts: Record<Scope, string> = {
  'care:read': 'Read what your organisation owns, sent or was sent', 'care:write': 'Act on it', 'directory:write': 'List organisations and services',
  'audit:read': 'Read the history of acts and looks', 'operate:write': 'Look after messages that could not be handled', 'report:read': 'Read figures',
};

/** What a path's parameters are, where the name alone does not say it. */
const pathTexts: Record<string, z.ZodType> = {
  tag: z.string().regex(/^[\w-]{22}$/).meta({ description: 'As the answer of a hand-over to the auditor names it' }),
  code: z.string().meta({ description: 'A code of a problem' }),
  consentRef: z.uuid().meta({ description: 'As the answer of the consent and the receipt (`jti`) name it' }),
  organisationId: z.uuid().meta({ description: 'The organisation that holds it' }),
};

/** Refusals that say when to ask again. */
const timed: ReadonlySet<RefusalCode> = new Set(['acceptance-not-yet-seen', 'consent-key-unknown', 'idempotency-in-flight', 'upstream-unavailable', 'too-many-requests']);

/** Refusals that any authenticated route may give. */
const always: readonly RefusalCode[] = ['unauthenticated', 'forbidden', 'not-found', 'internal-error', 'upstream-unavailable'];
const onCommands: readonly RefusalCode[] = ['bad-request', 'validation-failed', 'body-too-large', 'version-exhausted'];
const onKeyed: readonly RefusalCode[] = ['idempotency-key-missing', 'idempotency-key-reused'];
const onChanges: readonly RefusalCode[] = ['precondition-required', 'version-stale'];

const header = {
  idempotency: z.string().regex(/^[\x21-\x7e]{1,200}$/).meta({ description: 'Your own key for this request; repeat it when you retry. Kept for 72 hours.', param: { in: 'header', name: 'Idempotency-Key' } }),
  ifMatch: z.string().meta({
    description: 'The ETag of what you change: from the GET of the path that this one begins with, or from the answer to your last change; where there is only a list, its `version` in quotes', examples: ['"3"'], param: { in: 'header', name: 'If-Match' },
  }),
};

/** The OpenAPI 3.1 document of one service, from the same schemas that check its requests and shape its answers. */
export function openApiOf(definition: ServiceDefinition, tokenUrl: string): Record<string, unknown> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const declaredRoutes = routesOf([...definition.controllers, OperatorRoutes, SystemRoutes] as never);
  const changing = declaredRoutes.filter(({ route }) => !route.reads && !route.creates).map(({ route }) => route.path);
  for (const declared of declaredRoutes) {
    if (declared.route.internal) continue;
    const path = pathOf(declared, definition.name).replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[declared.route.method.toLowerCase()] = operationOf({ ...declared, route: { ...declared.route, path: pathOf(declared, definition.name) } }, {
      service: definition.name, versioned: changing.some((path) => path === declared.route.path || path.startsWith(`${declared.route.path}/`)),
    });
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: `Amana ${definition.name}`, version: '1.0.0',
      description: `${definition.purpose} Sandbox with fictional data only: every answer carries \`Amana-Mode: sandbox\`. Errors are RFC 9457 problems with a stable \`code\`.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => a.localeCompare(b))),
    components: {
      securitySchemes: {
        amana: {
          type: 'oauth2',
          description: 'client_credentials with private_key_jwt for partner systems: the assertion names the token URL as `aud`, your client_id as `iss` and `sub`, a fresh `jti`, and an `exp` at most 300 s ahead; ES256 or EdDSA with the key you were handed. Authorization code with PKCE for staff. Access tokens last 300 s.',
          flows: { clientCredentials: { tokenUrl, scopes: scopeTexts } },
        },
      },
    },
  } as Parameters<typeof createDocument>[0]) as unknown as Record<string, unknown>;
}

function operationOf({ route, action }: DeclaredRoute, { service, versioned }: { service: string; versioned: boolean }): ZodOpenApiOperationObject {
  const changes = !route.reads;
  const pathParams = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => (
    (pathTexts[name!] ?? (name!.endsWith('Id') ? z.uuid() : z.string())).meta({ param: { in: 'path', name: name! } })
  ));
  const parameters: ZodOpenApiParameters['header'][] = [];
  if (changes && route.method === 'POST') parameters.push(header.idempotency as never);
  if (changes && !route.creates) parameters.push(header.ifMatch as never);
  const codes = new Set<RefusalCode>([...(action === 'public' ? [] : always), ...(changes || route.body ? onCommands : []), ...(changes && route.method === 'POST' ? onKeyed : []), ...(changes && !route.creates ? onChanges : []),
    ...(route.query ? ['validation-failed' as const] : []), ...(route.refusals ?? [])]);
  return {
    operationId: operationIdOf(route.method, route.path), summary: route.summary, tags: [service],
    parameters: [...pathParams, ...parameters, ...queryParams(route.query)] as never,
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } } : {}),
    responses: {
      [String(route.status ?? 200)]: {
        description: 'Done', ...(route.answer ? { content: { 'application/json': { schema: route.answer } } } : {}),
        ...headersOf(route, versioned),
      },
      ...problemResponses(codes),
    },
    ...(action === 'public' ? { security: [] } : { security: [{ amana: [policy[action as Action].scope] }], 'x-amana-action': action, 'x-amana-roles': policy[action as Action].roles }),
  } as ZodOpenApiOperationObject;
}

/** The version that a change is made against, where an answer carries it; the next page of a list. */
function headersOf(route: Route, versioned: boolean): Record<string, unknown> {
  if (pages(route)) return { headers: { link: { schema: { type: 'string' }, description: 'The address of the next page, where there is one: `<...>; rel="next"`' } } };
  const sent = route.reads ? versioned && /\/:\w+$/.test(route.path) : !route.creates || route.status === 201;
  return sent ? { headers: { etag: { schema: { type: 'string' }, description: 'The version as it now stands, for If-Match' } } } : {};
}

function queryParams(query: z.ZodObject | undefined): z.ZodType[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => (schema as z.ZodType).meta({ param: { in: 'query', name } }));
}

function problemResponses(codes: ReadonlySet<RefusalCode>): Record<string, unknown> {
  const byStatus = Map.groupBy([...codes].sort(), (code) => String(refusals[code][0]));
  return Object.fromEntries([...byStatus].sort(([a], [b]) => a.localeCompare(b)).map(([status, list]) => [status, {
    description: list.map((code) => `\`${code}\`: ${refusals[code][1]}`).join('\n'), content: { 'application/problem+json': { schema: Problem } },
    ...(list.some((code) => timed.has(code)) ? { headers: { 'retry-after': { schema: { type: 'integer' }, description: 'Seconds after which to ask again, where the code has it' } } } : {}),
  }]));
}

function operationIdOf(method: string, path: string): string {
  return `${method.toLowerCase()}-${path.replace('/v1/', '').replaceAll(/[/:]+/g, '-')}`;
}

function pathOf({ route }: DeclaredRoute, service: string): string {
  return route.path.replace('/:service/', `/${service}/`);
}

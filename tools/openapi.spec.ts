import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ServiceName } from '@amana/contracts';
import { openApiPath, openApiText } from '../infra/local/src/write-openapi.ts';

describe('The committed OpenAPI document', () => {
  it.each(ServiceName.options)('of %s is what the service serves', (service) => {
    // The documents are long: which command puts it right says more than how they differ.
    const advice = `services/${service}/openapi.json is out of date: \`node tools/run.mjs openapi\` writes it anew; look at what changes for its readers`;
    expect(readFileSync(openApiPath(service), 'utf8') === openApiText(service) ? 'as served' : advice).toBe('as served');
  });

  it.each(ServiceName.options)('of %s names every refusal and every field, and no address of a machine', (service) => {
    const text = openApiText(service);
    const { paths, openapi, components } = JSON.parse(text) as { openapi: string; paths: Record<string, Record<string, { responses: Record<string, { content?: object }>; security: unknown[] }>>; components: { securitySchemes: { amana: { flows: object } } } };
    expect(openapi).toBe('3.1.0');
    expect(components.securitySchemes.amana.flows).toMatchObject({ clientCredentials: { tokenUrl: '/token' } });
    expect(text).not.toMatch(/https?:\/\/(?:localhost|127\.|\[)/);
    for (const [path, operations] of Object.entries(paths)) {
      expect(path).toMatch(/^\/v1\//);
      for (const { responses, security } of Object.values(operations)) {
        expect(security).toBeDefined();
        for (const [status, { content }] of Object.entries(responses)) if (Number(status) >= 400) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
      }
    }
  });
});

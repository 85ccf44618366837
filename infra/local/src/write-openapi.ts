import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServiceName } from '@amana/contracts';
import { openApiOf } from '@amana/service';
import { serviceDefinitions } from './services.ts';

const checkout = resolve(import.meta.dirname, '../../..');

/** Where a running service tells its own token URL, the committed document says this. */
export const tokenUrlPlaceholder = '/token';

/** Where a service's OpenAPI document is committed. */
export function openApiPath(service: ServiceName): string {
  return join(checkout, 'services', service, 'openapi.json');
}

/** The document as the service serves it, but for the token URL, as text to be committed. */
export function openApiText(service: ServiceName): string {
  return `${JSON.stringify(openApiOf(serviceDefinitions[service], tokenUrlPlaceholder), null, 2)}\n`;
}

/** Writes every document that has changed, and answers whose. */
export function writeOpenApi(): ServiceName[] {
  return ServiceName.options.filter((service) => {
    const [path, text] = [openApiPath(service), openApiText(service)];
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
    writeFileSync(path, text);
    return true;
  });
}

if (import.meta.main) {
  const changed = writeOpenApi();
  process.stdout.write(changed.length === 0 ? 'The OpenAPI documents are up to date.\n' : `Written: ${changed.map((service) => `services/${service}/openapi.json`).join(', ')}\n`);
}

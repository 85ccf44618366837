import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServiceName } from '@amana/contracts';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { type Deployment, deployFaults, type Yaml } from './deploy-faults.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const kustomization = parse(read('k8s/kustomization.yaml')) as Yaml;
const documentsOf = (path: string): Yaml[] => parseAllDocuments(read(path)).map((document) => document.toJS() as Yaml);
const deployed = (): Deployment => ({
  dockerfile: read('Dockerfile'), compose: parse(read('docker-compose.yml'), { merge: true }), version: (JSON.parse(read('package.json')) as { version: string }).version,
  manifests: (kustomization.resources as string[]).flatMap((file) => documentsOf(`k8s/${file}`)),
});

/** The faults of a copy that `plant` has spoiled. */
function faultsWith(plant: (copy: { dockerfile: string; compose: Yaml; manifests: Yaml[] }) => void): string[] {
  const { version, ...parts } = deployed();
  const copy = structuredClone(parts) as { dockerfile: string; compose: Yaml; manifests: Yaml[] };
  plant(copy);
  return deployFaults({ ...copy, version });
}
const of = (manifests: Yaml[], kind: string, name: string): Yaml => manifests.find((document) => document.kind === kind && document.metadata.name === name);
const podOf = (manifests: Yaml[], name: string): Yaml => of(manifests, 'Deployment', name).spec.template.spec;
const variableOf = (manifests: Yaml[], name: string, variable: string): Yaml => podOf(manifests, name).containers[0].env.find((entry: Yaml) => entry.name === variable);

describe('the ways to run the network off a laptop', () => {
  it.each<[string, string, (copy: { dockerfile: string; compose: Yaml; manifests: Yaml[] }) => void]>([
    ['an image that runs as root', 'runs as root', (copy) => { copy.dockerfile = copy.dockerfile.replace(/^USER .*$/m, 'USER root'); }],
    ['an image without a user', 'runs as root', (copy) => { copy.dockerfile = copy.dockerfile.replace(/^USER .*$/m, ''); }],
    ['an older Node', 'exact Node', (copy) => { copy.dockerfile = copy.dockerfile.replaceAll('node:24.22.1', 'node:24.21.0'); }],
    ['a shell as entry point', 'exec form', (copy) => { copy.dockerfile = copy.dockerfile.replace(/^ENTRYPOINT .*$/m, 'ENTRYPOINT node main.js'); }],
    ['a secret in the image', 'in the image', (copy) => { copy.dockerfile += 'ENV AMANA_ROLE_SECRET=abc\n'; }],
    ['compose without a service', 'compose: shelter is missing', ({ compose }) => { delete compose.services.shelter; }],
    ['a required setting left out', 'AMANA_JWKS_URL', ({ compose }) => { delete compose.services.health.environment.AMANA_JWKS_URL; }],
    ['a misspelt variable', 'does not know AMANA_LOGLEVEL', ({ compose }) => { compose.services.audit.environment.AMANA_LOGLEVEL = 'info'; }],
    ['another mode', 'Only sandbox mode exists', ({ compose }) => { compose.services.intake.environment.AMANA_MODE = 'production'; }],
    ['a port open to the world', 'beyond the loopback', ({ compose }) => { compose.services.router.ports = ['4000:8080']; }],
    ['a default secret', 'is not required', ({ compose }) => { compose.services.postgres.environment.POSTGRES_PASSWORD = '${AMANA_POSTGRES_PASSWORD:-postgres}'; }],
    ['a literal secret', 'is a secret in the file', ({ compose }) => { compose.services.migrate.environment.AMANA_ROLE_SECRET = 'x'.repeat(40); }],
    ['a literal password in a URL', 'AMANA_DATABASE_URL has credentials', ({ compose }) => { compose.services.intake.environment.AMANA_DATABASE_URL = 'postgres://app:hunter22@postgres/x?${A:?}'; }],
    ['the database of another service', 'belongs to others', ({ compose }) => { compose.services.audit.environment.AMANA_DATABASE_URL = compose.services.intake.environment.AMANA_DATABASE_URL; }],
    ['the role secret in a service', 'belongs to others', ({ compose }) => { compose.services.audit.environment.AMANA_ROLE_SECRET = '${AMANA_ROLE_SECRET:?}'; }],
    ['a keyring shared', 'share a keyring', ({ compose }) => { compose.services.audit.volumes = compose.services.intake.volumes; }],
    ['a writable container', 'is not confined', ({ compose }) => { compose.services.shelter.read_only = false; }],
    ['a container as root', 'runs as root', ({ compose }) => { compose.services.shelter.user = '0:0'; }],
    ['an image without a tag', 'no exact tag', ({ compose }) => { compose.services.grafana.image = 'grafana/grafana:latest'; }],
    ['a health check of another path', 'asks the wrong path', ({ compose }) => { compose.services.intake.healthcheck = { test: ['CMD', 'true'] }; }],
    ['too short a time to stop', 'compose: intake: it is not given 45 s', ({ compose }) => { compose.services.intake.stop_grace_period = '10s'; }],
    ['a program without its setting', 'AMANA_UPSTREAMS', ({ compose }) => { delete compose.services.router.environment.AMANA_UPSTREAMS; }],
    ['manifests without a service', 'k8s: Deployment health is missing', (copy) => { copy.manifests = copy.manifests.filter((document) => document.metadata.name !== 'health'); }],
    ['no disruption budget', 'PodDisruptionBudget intake is missing', (copy) => { copy.manifests = copy.manifests.filter((document) => document.kind !== 'PodDisruptionBudget'); }],
    ['one replica', 'not two replicas', ({ manifests }) => { of(manifests, 'Deployment', 'referral').spec.replicas = 1; }],
    ['a short grace', 'k8s: audit: it is not given 45 s', ({ manifests }) => { podOf(manifests, 'audit').terminationGracePeriodSeconds = 30; }],
    ['a probe of another service', 'its livenessProbe asks the wrong path', ({ manifests }) => { podOf(manifests, 'audit').containers[0].livenessProbe.httpGet.path = '/v1/intake/health/live'; }],
    ['no start-up probe', 'its startupProbe asks the wrong path', ({ manifests }) => { delete podOf(manifests, 'audit').containers[0].startupProbe; }],
    ['a pod as root', 'may run as root', ({ manifests }) => { podOf(manifests, 'intake').securityContext.runAsUser = 0; }],
    ['a pod without seccomp', 'may run as root or without seccomp', ({ manifests }) => { delete podOf(manifests, 'intake').securityContext.seccompProfile; }],
    ['a capability kept', 'keyring is not confined', ({ manifests }) => { podOf(manifests, 'intake').initContainers[0].securityContext.capabilities.drop = []; }],
    ['memory without bounds', 'no memory bounds', ({ manifests }) => { delete podOf(manifests, 'router').containers[0].resources.limits; }],
    ['a token of the cluster', 'token of the cluster', ({ manifests }) => { delete podOf(manifests, 'router').automountServiceAccountToken; }],
    ['a required setting left out of the ConfigMap', 'KAFKA_BROKERS', ({ manifests }) => { delete of(manifests, 'ConfigMap', 'amana-settings').data.KAFKA_BROKERS; }],
    ['a password in the ConfigMap', 'settings: AMANA_DATABASE_URL is a secret', ({ manifests }) => { of(manifests, 'ConfigMap', 'amana-settings').data.AMANA_DATABASE_URL = 'postgres://a:b@c/d'; }],
    ['a secret by value', 'AMANA_DATABASE_URL is a secret in the file', ({ manifests }) => { Object.assign(variableOf(manifests, 'health', 'AMANA_DATABASE_URL'), { value: 'postgres://c/d' }); }],
    ['the secrets of another service', 'the secrets of others', ({ manifests }) => { variableOf(manifests, 'health', 'AMANA_DATABASE_URL').valueFrom.secretKeyRef.name = 'amana-intake'; }],
    ['a Secret in the files', 'a Secret stands', ({ manifests }) => { manifests.push({ kind: 'Secret', metadata: { name: 'amana-intake' } }); }],
    ['no default deny', 'not denied', (copy) => { copy.manifests = copy.manifests.filter((document) => document.metadata.name !== 'default-deny'); }],
    ['a service that reaches the world', 'reaches the world', ({ manifests }) => { of(manifests, 'NetworkPolicy', 'services').spec.egress.push({ ports: [{ port: 443 }] }); }],
    ['webhooks without TLS', 'not by TLS alone', ({ manifests }) => { of(manifests, 'NetworkPolicy', 'webhooks').spec.egress[0].ports.push({ port: 80 }); }],
    ['an ingress past the router', 'leads past the router', ({ manifests }) => { of(manifests, 'Ingress', 'amana').spec.rules[0].http.paths[0].backend.service.name = 'intake'; }],
    ['an image of another version', 'image of this version', ({ manifests }) => { podOf(manifests, 'intake').containers[0].image = 'amana:latest'; }],
  ])('are refused with %s', (_, fault, plant) => {
    expect(faultsWith(plant).join('\n')).toContain(fault);
  });

  it('tell each service all it has to know and nothing that it does not, with no fault', () => {
    expect(deployFaults(deployed())).toEqual([]);
  });

  it('leave no manifest out', () => {
    const files = readdirSync(join(root, 'k8s'), { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.yaml')).map((entry) => entry.name);
    expect([...kustomization.resources as string[], 'kustomization.yaml'].sort()).toEqual(files.sort());
  });

  it('scale by the lag of a service\'s own consumer group, and never to none', () => {
    const scaled = documentsOf('k8s/optional/scale-by-lag.yaml');
    expect(scaled.map((document) => [document.spec.scaleTargetRef.name, document.spec.triggers[0].metadata.consumerGroup])).toEqual(ServiceName.options.map((name) => [name, name]));
    expect(scaled.filter((document) => !(document.spec.minReplicaCount >= 1) || document.spec.maxReplicaCount > 12)).toEqual([]);
  });
});

describe('what watches the network', () => {
  const pathsBelow = (folder: string, end: string): string[] => readdirSync(join(root, folder), { recursive: true }).map(String).filter((path) => path.endsWith(end)).map((path) => join(folder, path));
  const alerts = (parse(read('infra/observability/alerts.yaml')) as Yaml).groups.flatMap((group: Yaml) => group.rules) as Yaml[];
  const dashboards = pathsBelow('infra/observability/grafana/dashboards', '.json').map((path) => JSON.parse(read(path)) as Yaml);
  const queries = [...alerts.map((rule) => rule.expr as string), ...dashboards.flatMap((dashboard) => dashboard.panels.flatMap((panel: Yaml) => panel.targets.map((target: Yaml) => target.expr as string))) as string[]];
  const asked = [...new Set(queries.flatMap((query) => query.match(/\bamana_[a-z_]+/g) ?? []).map((metric) => metric.replace(/_(total|bucket|count|sum)$/, '')))].sort();

  it('keeps no attribute of a span that the services would not send, and drops none that they do', () => {
    const table = /const spanAttributes = \{([\s\S]*?)\n\}/.exec(read('libs/telemetry/src/span-attributes.ts'))![1]!;
    const sent = [...table.matchAll(/^ {2}'([a-z0-9._]+)':/gm)].map(([, attribute]) => attribute!);
    const { processors, service } = parse(read('infra/observability/collector.yaml')) as Yaml;
    expect(sent.length).toBeGreaterThan(20);
    expect(processors.redaction.allow_all_keys).toBe(false);
    expect([...processors.redaction.allowed_keys].sort()).toEqual(['service.name', 'service.namespace', ...sent].sort());
    expect(service.pipelines.traces.processors).toEqual(expect.arrayContaining(['redaction', 'transform', 'filter']));
  });

  it('asks every service for its metrics', () => {
    expect((parse(read('infra/observability/prometheus.yaml')) as Yaml).scrape_configs[0].dns_sd_configs[0].names).toEqual(ServiceName.options);
  });

  it('has for every alert a summary and what to do first', () => {
    expect(alerts.length).toBeGreaterThan(8);
    expect(alerts.filter((rule) => !rule.annotations?.summary || !rule.annotations.action || !['page', 'ticket'].includes(rule.labels?.severity as string))).toEqual([]);
  });

  it('asks for no metric of ours that the page about it does not explain', () => {
    const page = read('infra/observability/README.md');
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((metric) => !page.includes(`\`${metric}\``))).toEqual([]);
  });

  it('asks for no metric of ours that nobody counts', () => {
    const sources = ['libs', 'services'].flatMap((folder) => pathsBelow(folder, '.ts')).filter((path) => !/node_modules|\/dist\/|\.spec\.ts$/.test(path)).map(read).join('\n');
    const counted = new Set([...sources.matchAll(/'(amana\.[a-z.]+)'/g)].map(([, metric]) => metric!.replaceAll('.', '_')));
    expect(asked.filter((metric) => !counted.has(metric))).toEqual([]);
  });
});

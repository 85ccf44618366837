import { ServiceName } from '@amana/contracts';
import { environment, readSettings } from '@amana/service';
import { programSettings, readEnvironment } from '../infra/local/src/entry-point.ts';

/** What is read of the files: any of it may be missing or wrong, which is what the checks are for. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Yaml = any;
export interface Deployment {
  readonly dockerfile: string;
  readonly compose: Yaml;
  /** Every document of every manifest that kustomization.yaml names. */
  readonly manifests: readonly Yaml[];
  /** The version of the product: the tag of its image. */
  readonly version: string;
}
type Program = keyof typeof programSettings;

const secretName = /PASSWORD|SECRET|DATABASE_URL|TOKEN|PRIVATE/;
const credentialsInUrl = /\/\/[^/\s:@]+:(?!\$\{)[^/\s@]+@/;
/** Beside its settings a service may be told its name, for its traces, and where the sandbox keeps state. */
const ofEveryProgram = ['AMANA_SERVICE', 'AMANA_STATE_DIR'];
const graceSeconds = 45;

/** Everything that is wrong with the ways to run the network off a laptop, each as one sentence; empty: nothing is. */
export function deployFaults(deployment: Deployment): string[] {
  return [...imageFaults(deployment.dockerfile), ...composeFaults(deployment), ...manifestFaults(deployment)];
}

function imageFaults(dockerfile: string): string[] {
  const lines = dockerfile.replaceAll(/\\\n/g, ' ').split('\n').filter((line) => !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const argumentOf = (instruction: string): string => last.findLast((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1).trim() ?? '';
  const [, major = 0, minor = 0, patch = 0] = (/^node:(\d+)\.(\d+)\.(\d+)-/.exec(argumentOf('FROM')) ?? []).map(Number);
  return [
    ...check(major * 1e6 + minor * 1e3 + patch >= 24_022_001, 'Dockerfile: the base is not an exact Node 24.22.1 or later'),
    ...check(/^[1-9]\d*(:[1-9]\d*)?$/.test(argumentOf('USER')), 'Dockerfile: the image runs as root, or as a name that Kubernetes cannot judge'),
    ...check(argumentOf('ENTRYPOINT').startsWith('["node"'), 'Dockerfile: the entry point is not in exec form, so signals do not reach Node'),
    ...check(!last.some((line) => /^(ENV|ARG) /.test(line) && secretName.test(line)), 'Dockerfile: a secret stands in the image'),
  ];
}

function composeFaults({ compose, version }: Deployment): string[] {
  const services = (compose.services ?? {}) as Record<string, Yaml>;
  const expected = [...ServiceName.options, 'kafka', 'postgres', 'migrate', 'issuer', 'router', 'seed', 'collector', 'jaeger', 'prometheus', 'grafana'];
  const missing = expected.filter((name) => !services[name]).map((name) => `compose: ${name} is missing`);
  const keyVolumes = ServiceName.options.map((name) => String(services[name]?.volumes?.[0]).split(':')[0]);
  return [
    ...missing,
    ...check(new Set(keyVolumes).size === keyVolumes.length, 'compose: two services share a keyring'),
    ...Object.entries(services).flatMap(([name, service]) => [...containerFaults(name, service), ...(isOurs(name) ? ourContainerFaults(name, service, version) : [])].map((fault) => `compose: ${name}: ${fault}`)),
  ];
}

function containerFaults(name: string, service: Yaml): string[] {
  const variables = Object.entries((service.environment ?? {}) as Record<string, string>);
  const used = JSON.stringify(service).match(/\$\{[^}]*\}/g) ?? [];
  return [
    ...(service.ports ?? []).flatMap((port: Yaml) => check(typeof port === 'string' ? port.startsWith('127.0.0.1:') : port.host_ip === '127.0.0.1', 'a port is published beyond the loopback')),
    ...check(/:v?\d+\.\d/.test(service.image ?? ''), 'the image has no exact tag'),
    ...used.flatMap((variable) => check(variable.includes(':?'), `${variable} is not required`)),
    ...variables.flatMap(([variable, value]) => [
      ...check(!secretName.test(variable) || String(value).includes('${'), `${variable} is a secret in the file`),
      ...check(!credentialsInUrl.test(String(value)), `${variable} has credentials in the file`),
    ]),
    ...check(service.user === undefined || !/^(0|root)\b/.test(String(service.user)), `${name} runs as root`),
    ...check(service.privileged !== true, `${name} is privileged`),
  ];
}

function ourContainerFaults(name: string, service: Yaml, version: string): string[] {
  const env = Object.fromEntries(Object.entries((service.environment ?? {}) as Record<string, string>).map(([key, value]) => [key, interpolated(String(value))]));
  const faults = [
    ...settingsFaults(name, env),
    ...check(service.image === `amana:${version}`, 'it does not run the image of this version'),
    ...check(service.read_only === true && service.cap_drop?.includes('ALL') && service.security_opt?.includes('no-new-privileges:true'), 'it is not confined'),
  ];
  if (!isService(name)) return faults;
  const foreign = (JSON.stringify(service.environment ?? {}).match(/\$\{[A-Z_]+/g) ?? []).filter((variable) => !variable.startsWith(`\${AMANA_${name.toUpperCase()}_`));
  const probe = JSON.stringify(service.healthcheck?.test ?? '');
  return [
    ...faults,
    ...check(env.AMANA_SERVICE === name, 'AMANA_SERVICE names another service'),
    ...check(foreign.length === 0, `it is told what belongs to others: ${foreign.join(', ')}`),
    ...check(probe.includes("/v1/' + process.env.AMANA_SERVICE + '/health/ready'"), 'its health check asks the wrong path'),
    ...check(service.stop_grace_period === `${graceSeconds}s`, 'it is not given 45 s to stop'),
    ...check(service.depends_on?.migrate?.condition === 'service_completed_successfully', 'it does not wait for its database'),
  ];
}

function manifestFaults({ manifests, version }: Deployment): string[] {
  const find = (kind: string, name: string): Yaml => manifests.find((document) => document.kind === kind && document.metadata?.name === name);
  const settings = (find('ConfigMap', 'amana-settings')?.data ?? {}) as Record<string, string>;
  const workload = (kind: string, name: string): string[] => {
    const document = find(kind, name);
    return document ? workloadFaults(document, { settings, version }) : [`k8s: ${kind} ${name} is missing`];
  };
  return [
    ...[...ServiceName.options, 'router'].flatMap((name) => [
      ...workload('Deployment', name),
      ...check(find('Deployment', name)?.spec?.replicas === 2, `k8s: ${name}: it has not two replicas`),
      ...['Service', 'PodDisruptionBudget'].flatMap((kind) => check(find(kind, name), `k8s: ${kind} ${name} is missing`)),
    ]),
    ...workload('StatefulSet', 'issuer'), ...workload('Job', 'migrate'),
    ...check(!manifests.some((document) => document.kind === 'Secret'), 'k8s: a Secret stands in the manifests'),
    ...Object.entries(settings).flatMap(([variable, value]) => check(!secretName.test(variable) && !credentialsInUrl.test(value), `k8s: settings: ${variable} is a secret in the file`)),
    ...networkFaults(manifests),
  ];
}

function workloadFaults(document: Yaml, { settings, version }: { settings: Record<string, string>; version: string }): string[] {
  const name = String(document.metadata.name);
  const pod = document.spec?.template?.spec ?? {};
  const [container = {}] = (pod.containers ?? []) as Yaml[];
  const variables = (container.env ?? []) as { name: string; value?: string; valueFrom?: Yaml }[];
  const secrets = variables.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []) as string[];
  const env = {
    ...((container.envFrom ?? []) as Yaml[]).some((from) => from.configMapRef?.name === 'amana-settings') && settings,
    ...Object.fromEntries(variables.map(({ name: variable, value, valueFrom }) => [variable, value ?? settings[valueFrom?.configMapKeyRef?.key as string] ?? sampleOf(variable)])),
  };
  const faults = [
    ...settingsFaults(name, env),
    ...variables.flatMap(({ name: variable, value }) => check(value === undefined || (!secretName.test(variable) && !credentialsInUrl.test(value)), `${variable} is a secret in the file`)),
    ...check(secrets.every((secret) => secret === `amana-${name}`), 'it is told the secrets of others'),
    ...check(pod.terminationGracePeriodSeconds === graceSeconds, 'it is not given 45 s to stop'),
    ...check(pod.automountServiceAccountToken === false, 'it holds a token of the cluster'),
    ...check(pod.securityContext?.runAsNonRoot === true && pod.securityContext.runAsUser > 0 && pod.securityContext.seccompProfile?.type === 'RuntimeDefault', 'its pod may run as root or without seccomp'),
    ...([...(pod.initContainers ?? []), ...(pod.containers ?? [])] as Yaml[]).flatMap(({ name: part, image, securityContext: context, resources }) => [
      ...check(image === `amana:${version}`, `${part} does not run the image of this version`),
      ...check(context?.readOnlyRootFilesystem === true && context.allowPrivilegeEscalation === false && context.capabilities?.drop?.includes('ALL'), `${part} is not confined`),
      ...check(resources?.requests?.memory && resources.limits?.memory, `${part} has no memory bounds`),
    ]),
    ...(isService(name) ? probeFaults(name, container) : []),
  ];
  return faults.map((fault) => `k8s: ${name}: ${fault}`);
}

function probeFaults(name: string, container: Yaml): string[] {
  return Object.entries({ startupProbe: 'startup', readinessProbe: 'ready', livenessProbe: 'live' }).flatMap(([probe, path]) =>
    check(container[probe]?.httpGet?.path === `/v1/${name}/health/${path}` && container[probe].httpGet.port === container.ports?.[0]?.name, `its ${probe} asks the wrong path`));
}

function networkFaults(manifests: readonly Yaml[]): string[] {
  const policies = manifests.filter((document) => document.kind === 'NetworkPolicy').map((document) => document.spec);
  const isAll = (selector: Yaml): boolean => Object.keys(selector ?? { none: true }).length === 0;
  const toTheWorld = policies.filter((spec) => ((spec.egress ?? []) as Yaml[]).some((rule) => !rule.to?.length || rule.to.some((peer: Yaml) => peer.ipBlock)));
  const backends = manifests.filter((document) => document.kind === 'Ingress').flatMap((document) => document.spec.rules.flatMap((rule: Yaml) => rule.http.paths.map((path: Yaml) => path.backend.service.name as string))) as string[];
  return [
    ...check(policies.some((spec) => isAll(spec.podSelector) && ['Ingress', 'Egress'].every((type) => spec.policyTypes?.includes(type)) && !spec.ingress && !spec.egress), 'k8s: traffic is not denied unless a rule allows it'),
    ...check(toTheWorld.every((spec) => spec.podSelector?.matchLabels?.['app.kubernetes.io/name'] === 'notifications' && spec.egress.every((rule: Yaml) => rule.ports?.every((port: Yaml) => port.port === 443))), 'k8s: another than notifications reaches the world, or not by TLS alone'),
    ...check(backends.includes('router') && backends.every((name) => name === 'router' || name === 'issuer'), 'k8s: the ingress leads past the router'),
  ];
}

/** Whether the program itself would start with these variables, and whether it knows each of them. */
function settingsFaults(name: string, env: Record<string, string>): string[] {
  const known = new Set<string>([...(isService(name) ? Object.values(environment) : Object.keys(programSettings[name as Program].shape)), ...ofEveryProgram]);
  const unknown = Object.keys(env).filter((variable) => /^(AMANA|KAFKA)_/.test(variable) && !known.has(variable));
  const faults = unknown.map((variable) => `it does not know ${variable}`);
  if (name !== 'notifications' && env.AMANA_SMTP_URL) faults.push('it is told where mail goes');
  try {
    if (isService(name)) readSettings(name, env);
    else readEnvironment(name as Program, env);
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

function check(holds: unknown, fault: string): string[] {
  return holds ? [] : [fault];
}

function isService(name: string): name is ServiceName {
  return ServiceName.safeParse(name).success;
}

function isOurs(name: string): boolean {
  return isService(name) || Object.hasOwn(programSettings, name);
}

function interpolated(text: string): string {
  return text.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, variable: string) => sampleOf(variable));
}

/** A value of the shape that a secret of this name has. */
function sampleOf(variable: string): string {
  return variable.endsWith('_URL') ? 'postgres://role:secret@postgres:5432/database' : 'x'.repeat(43);
}

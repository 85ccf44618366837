import { afterAll, describe, expect, it } from '@jest/globals';
import { directoryEvents } from '@amana/contracts';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Directory, directoryImportOf, readDirectoryFile } from './directory-file.ts';
import { UnusableFile } from './json-file.ts';
import { readAccounts, readClients, scopesOfRoles } from './network-accounts.ts';

const network = (name: string): string => join(import.meta.dirname, '..', 'network', name);
const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** The network's own file with one thing changed, and what the reader says to it. */
async function faultsOf(change: (file: Loose) => void): Promise<{ error: UnusableFile; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'amana-directory-'));
  folders.push(folder);
  const path = join(folder, 'directory.json');
  const file = JSON.parse(await readFile(network('organisations.hsds.json'), 'utf8')) as Loose;
  change(file);
  await writeFile(path, JSON.stringify(file));
  return { path, error: await readDirectoryFile(path).then(() => { throw new Error('was taken'); }, (error: UnusableFile) => error) };
}
// The file as anybody might have written it.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

const serviceNamed = (directory: Directory, name: string) => directory.services.find((service) => service.name === name)!;

describe('readDirectoryFile', () => {
  it('refuses a place of a shelter and names the pointer', async () => {
    const { error, path } = await faultsOf((file) => { file.organizations[2].services[0].locations = [{ latitude: 30.4 }]; });
    expect(error).toBeInstanceOf(UnusableFile);
    expect(error.faults).toEqual([{ pointer: '/organizations/2/services/0', reason: expect.stringContaining('locations') }]);
    expect(error.message).toContain(path);
    expect(error.message).toContain('/organizations/2/services/0');
    expect(error.message).not.toContain('30.4');
  });

  it('refuses a phone number of an organisation', async () => {
    const { error } = await faultsOf((file) => { file.organizations[0].phones = [{ number: '0000' }]; });
    expect(error.faults[0]!.pointer).toBe('/organizations/0');
  });

  it('refuses an attribute that names no taxonomy term', async () => {
    const { error } = await faultsOf((file) => { file.organizations[4].services[0].attributes[0].taxonomy_term_id = file.organizations[0].id; });
    expect(error.faults).toContainEqual({ pointer: '/organizations/4/services/0/attributes/0/taxonomy_term_id', reason: 'names no taxonomy term of this file' });
    expect(error.faults).toContainEqual({ pointer: '/organizations/4/services/0/attributes', reason: 'must name exactly one amana-service-kind' });
  });

  it('refuses an unknown category in a protocol, and an unknown capacity code', async () => {
    const { error } = await faultsOf((file) => {
      file.organizations[0]['x-amana-protocol'].ceiling.push('everything');
      file.organizations[2].services[0]['x-amana-capacity'].statusCode = 'plenty';
    });
    expect(error.faults.map(({ pointer }) => pointer)).toEqual([
      expect.stringMatching(/^\/organizations\/0\/x-amana-protocol\/ceiling\/\d+$/), '/organizations/2/services/0/x-amana-capacity/statusCode',
    ]);
  });

  it('refuses an id that is used twice', async () => {
    const { error } = await faultsOf((file) => { file.organizations[1].id = file.organizations[0].id; });
    expect(error.faults).toEqual([{ pointer: '/organizations/1/id', reason: 'is used twice' }]);
  });

  it('names a file that is missing or is not JSON', async () => {
    await expect(readDirectoryFile('/nowhere/at/all.json')).rejects.toThrow('/nowhere/at/all.json cannot be used:\n  /: cannot be read (ENOENT)');
    const folder = await mkdtemp(join(tmpdir(), 'amana-directory-'));
    folders.push(folder);
    await writeFile(join(folder, 'x.json'), '{ "organizations": ');
    await expect(readDirectoryFile(join(folder, 'x.json'))).rejects.toThrow('is not JSON');
  });

  it('gives the network: eleven organisations, each with the protocol, and their services', async () => {
    const directory = await readDirectoryFile(network('organisations.hsds.json'));
    expect(directory.organisations.map(({ kind }) => kind)).toEqual([
      'association', 'association', 'shelter', 'shelter', 'clinic', 'psychosocial-provider', 'training-provider', 'legal-aid-provider', 'coordinator', 'auditor', 'operator',
    ]);
    expect(directory.organisations.every(({ protocols }) => protocols.length === 1)).toBe(true);
    expect(serviceNamed(directory, 'Accommodation, women and dependants')).toMatchObject({
      kind: 'shelter', sexes: ['female'], families: true, minimumAge: 18, maximumAge: undefined, regions: ['MA-09', 'MA-06'], status: 'active',
      capacity: { statusCode: 'capacity', band: '6+', asOf: '2022-09-30T17:00:00.000Z' }, assuredOn: '2022-09-05',
    });
    expect(serviceNamed(directory, 'Emergency accommodation, women').families).toBe(false);
    expect(serviceNamed(directory, 'Voluntary return: information').regions).toHaveLength(12);
  });

  it('gives what an import may list, by the network\'s own contracts', async () => {
    const { organisations, services } = JSON.parse(JSON.stringify(directoryImportOf(await readDirectoryFile(network('organisations.hsds.json')))));
    expect(directoryEvents.OrganisationListed.data.array().parse(organisations)).toHaveLength(11);
    expect(directoryEvents.ServiceListed.data.array().parse(services)).toHaveLength(8);
  });

  it('moves assurance and capacity dates with the day the network starts', async () => {
    const directory = await readDirectoryFile(network('organisations.hsds.json'), new Date('2026-10-02T10:00:00.000Z'));
    const shelter = serviceNamed(directory, 'Accommodation, women and dependants');
    expect(shelter.capacity!.asOf).toBe('2026-10-01T17:00:00.000Z');
    expect(shelter.assuredOn).toBe('2026-09-06');
  });
});

describe('the accounts of the network', () => {
  it('belong to listed organisations only, staff and partner systems alike', async () => {
    const listed = (await readDirectoryFile(network('organisations.hsds.json'))).organisations.map(({ organisationId }) => organisationId);
    const accounts = await readAccounts(network('accounts.json'));
    const clients = await readClients(network('clients.json'));
    for (const { organisationId } of [...accounts, ...clients]) expect(listed).toContain(organisationId);
    expect(new Set(clients.map(({ organisationId }) => organisationId)).size).toBe(listed.length);
    expect(new Set([...accounts, ...clients].map(({ accountId }) => accountId)).size).toBe(accounts.length + clients.length);
  });

  it('give no partner system a scope that its roles do not reach', async () => {
    for (const client of await readClients(network('clients.json'))) {
      expect(scopesOfRoles(client.roles)).toEqual(expect.arrayContaining(client.scopes));
    }
  });

  it('keep the audit body and the operator from writing to care', async () => {
    expect(scopesOfRoles(['auditor', 'operator', 'coordinator'])).not.toContain('care:write');
    const clients = await readClients(network('clients.json'));
    expect(clients.filter(({ roles }) => roles.includes('auditor') || roles.includes('operator')).map(({ scopes }) => scopes)).toEqual([['audit:read'], ['operate:write']]);
  });
});

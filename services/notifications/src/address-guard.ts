import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** An address that must not be called: inside somebody's network, or not a place at all. It carries no address. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'address-refused';

  constructor() {
    super('address refused');
  }
}

/** Finds all addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** One list for each family: a list that holds mapped IPv6 networks would take every IPv4 address for one of theirs. */
const special4 = new BlockList();
const special6 = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.31.196.0', 24],
  ['192.52.193.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['192.175.48.0', 24], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) special4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  // IPv4 in IPv6 clothes (compatible, mapped, translated, NAT64, 6to4) could lead to any of the above.
  ['::', 96], ['::ffff:0:0', 96], ['::ffff:0:0:0', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['2002::', 16],
  ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2620:4f:8000::', 48], ['3fff::', 20], ['5f00::', 16], ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
] as const) special6.addSubnet(network, prefix, 'ipv6');

/** All that is handed out as global IPv6; whatever lies outside has no owner who could be a partner. */
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

const loopback4 = new BlockList();
loopback4.addSubnet('127.0.0.0', 8, 'ipv4');

/** Whether an address lies on the open internet. Anything that is not plainly an address is not. */
export function isPublicAddress(address: string): boolean {
  // A zone (fe80::1%eth0) names an interface of this machine.
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !special4.check(address, 'ipv4');
  return family === 6 && global.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}

export function isLoopbackAddress(address: string): boolean {
  return isIP(address) === 4 ? loopback4.check(address, 'ipv4') : address === '::1';
}

/** Names that only mean something inside a network or on this machine. */
const insideName = /(^|\.)(localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|example|onion)$/;

/**
 * The URL a webhook may be registered with, or undefined: https on 443, no credentials, no address or name that cannot
 * lie on the open internet. With `allowLoopback`, http to this machine too, at any port. What a name resolves to is
 * tested when it is called, each time.
 */
export function webhookUrl(text: string, options: { allowLoopback: boolean }): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username !== '' || url.password !== '' || url.hash !== '' || url.hostname === '') return undefined;
  const host = hostOf(url.hostname);
  if (options.allowLoopback && url.protocol === 'http:') return host === 'localhost' || isLoopbackAddress(host) ? url : undefined;
  if (url.protocol !== 'https:' || url.port !== '') return undefined;
  if (isIP(host) !== 0) return isPublicAddress(host) ? url : undefined;
  return host.includes('.') && !insideName.test(host) ? url : undefined;
}

/** The host of a URL without the brackets of IPv6 and the dot at the end of an absolute name. */
export function hostOf(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '').toLowerCase();
}

/**
 * A `lookup` for sockets that tests every address a name resolves to, and answers those very addresses: the connection
 * cannot go anywhere else, whatever the name resolves to a moment later. One refused address refuses the name.
 */
export function guardedLookup(permitted: (address: string) => boolean, resolve: Resolve = resolveBySystem): LookupFunction {
  return (hostname, options, callback) => {
    const answer = (error: Error | null, found: readonly LookupAddress[]): void => {
      const first = found[0];
      if (error) callback(error, '', 0);
      else if (!first || !found.every(({ address }) => permitted(address))) callback(new AddressRefused(), '', 0);
      else if (options.all) callback(null, [...found]);
      else callback(null, first.address, first.family);
    };
    // Answered from a fresh stack: what the socket throws there is not taken for a failed look-up.
    resolve(hostname).then((found) => setImmediate(answer, null, found), (error: unknown) => setImmediate(answer, error as Error, []));
  };
}

function resolveBySystem(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, found) => { if (error) reject(error); else resolve(found); });
  });
}

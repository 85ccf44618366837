import { lookup } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressRefused, guardedLookup, isLoopbackAddress, isPublicAddress, webhookUrl } from './address-guard.ts';

/** URLs that must never be called outside the sandbox, in the many ways of writing them. */
const refusedUrls = [
  // no web address at all
  '', 'not a url', 'ftp://partner.org/', 'file:///etc/passwd', 'gopher://partner.org:70/', 'javascript:alert(1)', 'data:text/plain,x', 'unix:/var/run/docker.sock', 'https://', '//partner.org/',
  // not https on 443, or with something else in it
  'http://partner.org/hook', 'https://partner.org:8443/hook', 'https://partner.org:80/', 'https://partner.org:22/', 'https://user@partner.org/', 'https://user:secret@partner.org/', 'https://:secret@partner.org/',
  'https://partner.org/hook#fragment', 'https://127.0.0.1@evil.partner.org/', 'ws://partner.org/', 'wss://partner.org/',
  // this machine
  'https://localhost/', 'https://LOCALHOST/', 'https://localhost./', 'https://a.localhost/', 'https://127.0.0.1/', 'https://127.0.0.1./', 'https://127.1/', 'https://127.255.255.254/', 'https://0.0.0.0/', 'https://0/',
  'https://2130706433/', 'https://0x7f000001/', 'https://0x7f.1/', 'https://017700000001/', 'https://0177.0.0.1/', 'https://127.0.0.1%2f@partner.org/', 'https://[::1]/', 'https://[::]/', 'https://[0:0:0:0:0:0:0:1]/',
  'https://①②⑦.⓪.⓪.①/', 'https://127。0。0。1/', 'https://localhost%00.partner.org/',
  // IPv4 in IPv6 clothes
  'https://[::ffff:127.0.0.1]/', 'https://[::ffff:7f00:1]/', 'https://[::127.0.0.1]/', 'https://[::ffff:0:127.0.0.1]/', 'https://[64:ff9b::127.0.0.1]/', 'https://[64:ff9b::7f00:1]/', 'https://[64:ff9b:1::7f00:1]/',
  'https://[2002:7f00:1::]/', 'https://[2002:a00:1::1]/', 'https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  // inside networks, clouds and nowhere
  'https://10.0.0.1/', 'https://10.255.255.255/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.0.1/', 'https://192.168.255.255/', 'https://100.64.0.1/', 'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/', 'https://[fe80::1]/', 'https://[fec0::1]/', 'https://[fc00::1]/', 'https://[ff02::1]/', 'https://[100::1]/', 'https://[2001:db8::1]/', 'https://[3fff::1]/', 'https://[5f00::1]/', 'https://[4000::1]/',
  'https://198.18.0.1/', 'https://192.0.2.1/', 'https://198.51.100.7/', 'https://203.0.113.9/', 'https://192.0.0.8/', 'https://192.88.99.1/', 'https://224.0.0.1/', 'https://239.255.255.255/', 'https://240.0.0.1/', 'https://255.255.255.255/',
  'https://intranet/', 'https://router.lan/', 'https://db.internal/', 'https://printer.local/', 'https://host.home.arpa/', 'https://metadata.google.internal/', 'https://metadata.google.internal./', 'https://hidden.onion/',
];

const resolving = (...addresses: string[]) => () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
const lookUp = (guarded: ReturnType<typeof guardedLookup>, all: boolean): Promise<unknown> => new Promise((resolve, reject) => {
  guarded('partner.org', { all }, (error, found) => { if (error) reject(error); else resolve(found); });
});

describe('the address of a webhook', () => {
  it(`is refused in each of ${refusedUrls.length} ways of leading elsewhere`, () => {
    expect(refusedUrls.length).toBeGreaterThanOrEqual(60);
    for (const url of refusedUrls) expect([url, webhookUrl(url, { allowLoopback: false })]).toEqual([url, undefined]);
  });

  it('is refused in the sandbox too, unless it leads to this very machine', () => {
    const toThisMachine = (url: string) => url.startsWith('http://');
    for (const url of refusedUrls.filter((candidate) => !toThisMachine(candidate))) expect([url, webhookUrl(url, { allowLoopback: true })]).toEqual([url, undefined]);
    expect(webhookUrl('http://10.0.0.1:8080/', { allowLoopback: true })).toBeUndefined();
    expect(webhookUrl('http://partner.org/', { allowLoopback: true })).toBeUndefined();
    expect(webhookUrl('http://[::ffff:127.0.0.1]/', { allowLoopback: true })).toBeUndefined();
    for (const url of ['http://127.0.0.1:4010/hook', 'http://localhost:4010/hook', 'http://[::1]:4010/hook']) expect(webhookUrl(url, { allowLoopback: true })?.protocol).toBe('http:');
    expect(webhookUrl('http://127.0.0.1:4010/hook', { allowLoopback: false })).toBeUndefined();
  });

  it('is taken when it lies on the open internet', () => {
    for (const url of ['https://partner.org/hook?k=v', 'https://partner.org:443/', 'https://hooks.partner.org./x', 'https://8.8.8.8/', 'https://[2606:4700::1111]/', 'https://جمعية.org/']) {
      expect([url, webhookUrl(url, { allowLoopback: false })?.protocol]).toEqual([url, 'https:']);
    }
  });
});

describe('an address that a name resolves to', () => {
  it('is not public when it is no plain address', () => {
    for (const address of ['', 'localhost', 'fe80::1%eth0', '2606:4700::1111%1', '127.1', '0x7f.0.0.1', '1.2.3', '::ffff:8.8.8.8', '1.2.3.4.5']) expect([address, isPublicAddress(address)]).toEqual([address, false]);
  });

  it('is not public anywhere in a private network', () => {
    const byte = fc.nat(255);
    const inside = fc.oneof(
      fc.tuple(fc.constant(10), byte, byte, byte), fc.tuple(fc.constant(127), byte, byte, byte), fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte), fc.tuple(fc.constant(169), fc.constant(254), byte, byte), fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
    ).map((parts) => parts.join('.'));
    fc.assert(fc.property(inside, (address) => !isPublicAddress(address) && !isPublicAddress(`::ffff:${address}`) && !isPublicAddress(`64:ff9b::${address}`) && !isPublicAddress(`::${address}`)), { seed: 918, numRuns: 500 });
  });

  it('is loopback only where the connection stays on this machine', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopbackAddress)).toBe(true);
    expect(['10.0.0.1', '::', '8.8.8.8', '::2', 'localhost', '::1%lo'].some(isLoopbackAddress)).toBe(false);
  });
});

describe('looking up a name for a connection', () => {
  it.each([true, false])('refuses the name when only one of its addresses is inside (all: %s)', async (all) => {
    await expect(lookUp(guardedLookup(isPublicAddress, resolving('93.184.215.14', '127.0.0.1')), all)).rejects.toBeInstanceOf(AddressRefused);
    await expect(lookUp(guardedLookup(isPublicAddress, resolving('2606:4700::1111', '::ffff:10.0.0.1')), all)).rejects.toBeInstanceOf(AddressRefused);
  });

  it('refuses a name without addresses', async () => {
    await expect(lookUp(guardedLookup(isPublicAddress, resolving()), true)).rejects.toBeInstanceOf(AddressRefused);
  });

  it('answers the very addresses it has tested, though the name leads elsewhere a moment later', async () => {
    const answers = [['93.184.215.14'], ['127.0.0.1']];
    const rebinding = guardedLookup(isPublicAddress, () => resolving(...answers.shift()!)());
    expect(await lookUp(rebinding, true)).toEqual([{ address: '93.184.215.14', family: 4 }]);
    await expect(lookUp(rebinding, true)).rejects.toBeInstanceOf(AddressRefused);
  });

  it('hands on that a name does not exist', async () => {
    const missing = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    await expect(lookUp(guardedLookup(isPublicAddress, () => Promise.reject(missing)), true)).rejects.toBe(missing);
  });

  it('takes the place of the system\'s own lookup', () => expect(guardedLookup(isPublicAddress).length).toBe(lookup.length));
});

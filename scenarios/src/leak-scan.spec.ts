import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LeakScan } from './leak-scan.ts';

const planted = ['Zéphirine-Oualou', 'Tamsin 7'];
const scan = new LeakScan(planted);
const forms = (text: string | Buffer): string[] => scan.search({ where: 'here', content: Buffer.from(text) }).map((leak) => `${leak.planted}: ${leak.form}`);

describe('the search for planted strings', () => {
  it.each([
    ['as it is', 'she said Zéphirine-Oualou, twice: Zéphirine-Oualou'],
    ['as it is', '{"NAME":"ZÉPHIRINE-OUALOU"}'],
    ['as it is', 'zéphirine-oualou'],
    ['percent', '/hook?who=Z%C3%A9phirine-Oualou'],
    ['percent', Buffer.from('Zéphirine-Oualou').reduce((all, byte) => `${all}%${byte.toString(16).toUpperCase()}`, '')],
    ['hex', `\\x00ff${Buffer.from('ZÉPHIRINE-OUALOU').toString('hex').toUpperCase()}00`],
    ['json-escape', '"\\u005a\\u00e9\\u0070\\u0068\\u0069\\u0072\\u0069\\u006E\\u0065\\u002D\\u004f\\u0075\\u0061\\u006C\\u006f\\u0075"'],
    ['utf-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Zéphirine-Oualou', 'utf16le')])],
    ['base64', Buffer.from('Zéphirine-Oualou').toString('base64')],
    ['base64', Buffer.from('zéphirine-oualou').toString('base64url')],
  ])('finds one %s', (form, text) => {
    expect(forms(text)).toEqual([`Zéphirine-Oualou: ${form}`]);
  });

  it('finds one in base64 wherever it stands in what was encoded', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), fc.constantFrom<BufferEncoding>('base64', 'base64url'), (before, after, encoding) => {
      expect(forms(Buffer.concat([before, Buffer.from('Tamsin 7'), after]).toString(encoding))).toEqual(['Tamsin 7: base64']);
    }), { seed: 20, numRuns: 200 });
  });

  it('finds one between bytes that are no text', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (before, after) => {
      expect(forms(Buffer.concat([before, Buffer.from('tamsin 7'), after]))).toEqual(['Tamsin 7: as it is']);
    }), { seed: 21, numRuns: 200 });
  });

  it('finds nothing in what only resembles them, and says where it found what', () => {
    expect(forms('Zéphirine Oualou, Zephirine-Oualou, Tamsin7, Tamsin 8')).toEqual([]);
    expect(scan.searchAll([{ where: 'a', content: Buffer.from('TAMSIN 7') }, { where: 'b', content: Buffer.from('tamsin') }])).toEqual([{ where: 'a', planted: 'Tamsin 7', form: 'as it is' }]);
  });
});

import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Sealed } from './sealed-value.ts';

const planted = 'planted-name';

describe('a sealed value', () => {
  it('shows its mask, never its content, however it is printed', () => {
    const sealed = new Sealed(planted);
    const printed = [
      String(sealed), `${sealed}`, '' + sealed, JSON.stringify({ sealed }), inspect(sealed), inspect({ deep: [sealed] }, { showHidden: true }),
      format('%s %o %j', sealed, sealed, sealed), Object.entries(sealed).join(), new Error(`lost ${sealed}`).message,
    ];
    expect(printed.join('\n')).not.toContain(planted);
    expect(JSON.stringify(sealed)).toBe('"[sealed]"');
    expect(inspect(sealed)).toBe('[sealed]');
  });

  it('does not travel inside a structured clone', () => {
    expect(inspect(structuredClone({ sealed: new Sealed(planted) }))).not.toContain(planted);
  });

  it('gives its content when it is revealed, and stays masked when it is mapped', () => {
    const upper = new Sealed(planted).map((name) => name.toUpperCase());
    expect(inspect(upper)).toBe('[sealed]');
    expect(upper.reveal()).toBe('PLANTED-NAME');
  });
});

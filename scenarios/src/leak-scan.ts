/** Something that a network has left behind, to be searched: `table shelter.public.sealed`, `topic referral.referral.v1`. */
export interface Place {
  readonly where: string;
  readonly content: Buffer;
}

export interface Leak {
  readonly where: string;
  readonly planted: string;
  /** How it was written there: `as it is`, `base64`, `percent`, `hex`, `json-escape`, `utf-16`. */
  readonly form: string;
}

interface Needle {
  readonly planted: string;
  readonly form: string;
  readonly text: string;
  readonly anyCase: boolean;
}

/** Searches whatever was written for planted strings, in any case and in the forms that encoders give them. */
export class LeakScan {
  readonly #needles: readonly Needle[];

  constructor(planted: readonly string[]) {
    this.#needles = planted.flatMap(needlesOf);
  }

  /** Every planted string in every form in which it occurs there, each once. */
  search({ where, content }: Place): Leak[] {
    // One character a byte, so that nothing is lost in what is no text.
    const text = content.toString('latin1');
    const lower = text.toLowerCase();
    const found = this.#needles.filter((needle) => (needle.anyCase ? lower : text).includes(needle.text));
    return [...new Map(found.map(({ planted, form }) => [`${planted} ${form}`, { where, planted, form }])).values()];
  }

  searchAll(places: Iterable<Place>): Leak[] {
    return [...places].flatMap((place) => this.search(place));
  }
}

function needlesOf(planted: string): Needle[] {
  const spellings = [...new Set([planted, planted.toLowerCase(), planted.toUpperCase()])];
  const anyCase = (form: string, text: (spelling: string) => string): Needle[] => (
    [...new Set(spellings.map((spelling) => text(spelling).toLowerCase()))].map((written) => ({ planted, form, text: written, anyCase: true }))
  );
  const base64 = new Set(spellings.flatMap((spelling) => [0, 1, 2].flatMap((offset) => base64Of(spelling, offset))));
  return [
    ...anyCase('as it is', latin1),
    ...anyCase('percent', (spelling) => [...Buffer.from(spelling)].map((byte) => `%${hexOf(byte, 2)}`).join('')),
    ...anyCase('percent', (spelling) => latin1(encodeURIComponent(spelling))).filter(({ text }) => text.includes('%')),
    ...anyCase('hex', (spelling) => Buffer.from(spelling).toString('hex')),
    ...anyCase('json-escape', (spelling) => spelling.split('').map((unit) => `\\u${hexOf(unit.charCodeAt(0), 4)}`).join('')),
    ...anyCase('utf-16', (spelling) => Buffer.from(spelling, 'utf16le').toString('latin1')),
    ...[...base64].map((text) => ({ planted, form: 'base64', text, anyCase: false })),
  ];
}

/** The part of its base64 that does not depend on its neighbours, `offset` bytes after a group's begin, in both alphabets. */
function base64Of(spelling: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(spelling)]);
  const own = (encoding: 'base64' | 'base64url'): string => bytes.toString(encoding).slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return [own('base64'), own('base64url')];
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function hexOf(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

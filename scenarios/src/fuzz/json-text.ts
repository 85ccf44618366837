/** JSON as it stands on the wire, where no JavaScript value says it: `1e400`, a number of 40 digits. */
export class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object that names one key twice: first with this value, then with its own. */
export class Twice {
  readonly object: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly first: unknown;

  constructor(object: Readonly<Record<string, unknown>>, key: string, first: unknown) {
    this.object = object;
    this.key = key;
    this.first = first;
  }
}

/** The JSON text of a value that may hold verbatim parts and doubled keys. */
export function textOf(value: unknown): string {
  if (value instanceof Verbatim) return value.text;
  if (value instanceof Twice) return `{${JSON.stringify(value.key)}:${textOf(value.first)}${Object.keys(value.object).length > 0 ? `,${textOf(value.object).slice(1)}` : '}'}`;
  if (Array.isArray(value)) return `[${value.map((item) => (item === undefined ? 'null' : textOf(item))).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).filter(([, entry]) => entry !== undefined).map(([key, entry]) => `${JSON.stringify(key)}:${textOf(entry)}`).join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** A place in a value, as keys from its root. */
export type Place = readonly (string | number)[];

/** Every place of a value, its root first. */
export function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null || value instanceof Verbatim) return [at];
  return [at, ...Object.entries(value).flatMap(([key, entry]) => placesOf(entry, [...at, Array.isArray(value) ? Number(key) : key]))];
}

export function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((found, key) => (found as Record<string | number, unknown>)[key], value);
}

/** The value with another one at this place; `undefined` takes the key out. */
export function changedAt(value: unknown, place: Place, to: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return to;
  if (Array.isArray(value)) return rest.length === 0 && to === undefined ? value.toSpliced(Number(key), 1) : value.with(Number(key), changedAt(value[Number(key)], rest, to));
  // Not by assignment: `__proto__` must become a key like any other.
  return Object.fromEntries([...Object.entries(value as object).filter(([name]) => name !== key), ...(rest.length === 0 && to === undefined ? [] : [[key, changedAt((value as Record<string, unknown>)[key], rest, to)]])]);
}

export function pointerOf(place: Place): string {
  return place.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

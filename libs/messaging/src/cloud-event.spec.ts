import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type CloudEvent, DecodeError, readCloudEvent, toHeaders, typeOf } from './cloud-event.ts';

interface Vector {
  readonly name: string;
  readonly payload: string;
  readonly headers: Record<string, string>;
  readonly attributes: Record<string, string>;
  readonly data: unknown;
}

const feature = readFileSync(join(import.meta.dirname, '../vectors/kafka-protocol-binding.feature'), 'utf8');

/** Reads the scenarios of the published feature file: docstrings, two-column tables and the examples of an outline. */
function vectorsOf(text: string): Vector[] {
  return text.split(/^\s*Scenario(?: Outline)?: /m).slice(1).flatMap((scenario) => {
    const examples = scenario.split('Examples:')[1]?.split('\n').map((line) => line.replaceAll('|', '').trim()).filter((line) => line !== '').slice(1) ?? [''];
    return examples.map((example): Vector => {
      const filled = scenario.split('Examples:')[0]!.replaceAll('<contentType>', example);
      const docs = [...filled.matchAll(/"""\n([\s\S]*?)"""/g)].map((match) => match[1]!);
      const tables = filled.split(/headers:|attributes are:/).slice(1).map(tableOf);
      return { name: `${filled.split('\n')[0]!} ${example}`, payload: docs[0]!, headers: tables[0]!, attributes: tables[1]!, data: JSON.parse(docs[1]!) };
    });
  });
}

function tableOf(text: string): Record<string, string> {
  const rows = text.split(/\n\s*(?:When|And|Then) /)[0]!.split('\n').map((line) => line.split('|').map((cell) => cell.trim())).filter((cells) => cells.length === 4);
  return Object.fromEntries(rows.slice(1).map((cells) => [cells[1]!, cells[2]!]));
}

const vectors = vectorsOf(feature);
const valid = { headers: vectors[0]!.headers, value: Buffer.from(vectors[0]!.payload) };

describe('a CloudEvent in a Kafka message', () => {
  it.each([
    ['without a body', { ...valid, value: null }, 'no-data'],
    ['whose body is no JSON', { ...valid, value: Buffer.from('{"message":') }, 'not-json'],
    ['without an id', { ...valid, headers: without('ce_id') }, 'attribute-missing:id'],
    ['without a type', { ...valid, headers: without('ce_type') }, 'attribute-missing:type'],
    ['of another specification', { ...valid, headers: { ...valid.headers, ce_specversion: '0.3' } }, 'specversion-unknown'],
    ['in structured mode whose envelope is a list', { headers: { 'content-type': 'application/cloudevents+json' }, value: Buffer.from('[]') }, 'envelope-not-an-object'],
  ])('is refused %s', (_, message, reason) => {
    expect(readCloudEvent(message)).toEqual(new DecodeError(reason));
  });

  it('reads every published vector, binary and structured', () => {
    expect(vectors.map((vector) => vector.name.trim())).toHaveLength(3);
    for (const { payload, headers, attributes, data } of vectors) {
      const event = readCloudEvent({ headers, value: Buffer.from(payload) }) as CloudEvent;
      expect(event.attributes).toEqual(attributes);
      expect(event.data).toEqual(data);
    }
  });

  it('tells its type from the headers alone, and from the body in structured mode', () => {
    expect(vectors.map(({ headers, payload }) => typeOf({ headers, value: Buffer.from(payload) }))).toEqual(Array(3).fill('com.example.someevent'));
    expect(typeOf({ headers: {}, value: Buffer.from('x') })).toBeUndefined();
  });

  it('writes the headers of the binary vector back', () => {
    expect(toHeaders({ ...vectors[0]!.attributes, subject: undefined })).toEqual(vectors[0]!.headers);
  });
});

function without(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(valid.headers).filter(([header]) => header !== name));
}

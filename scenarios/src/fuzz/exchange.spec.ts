import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Attempt } from './attempts.ts';
import { Operation } from './document.ts';
import { faultsOf, type Reply } from './exchange.ts';

const problem = { type: 'object', required: ['code', 'status', 'title', 'traceId', 'errors'] };
const document = {
  paths: {
    '/v1/house/rooms': {
      post: {
        operationId: 'post-house-rooms', 'x-amana-action': 'room.open', parameters: [{ in: 'header' as const, name: 'Idempotency-Key', schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties: { beds: { type: 'integer' } }, required: ['beds'], additionalProperties: false } } } },
        responses: {
          201: { description: 'Done', content: { 'application/json': { schema: { type: 'object', properties: { roomId: { type: 'string' } }, required: ['roomId'], additionalProperties: false } } } },
          422: { description: '`validation-failed`: Some fields are wrong', content: { 'application/problem+json': { schema: problem } } },
          500: { description: '`internal-error`: Something failed', content: { 'application/problem+json': { schema: problem } } },
        },
      },
    },
  },
};
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, 'house');
const operation = new Operation({ service: 'house', method: 'post', template: '/v1/house/rooms', document, ajv });

const attempt = (statuses: number[], pointer?: string): Attempt => ({ kind: 'wrong body', path: '/v1/house/rooms', caller: undefined, headers: {}, ifMatch: undefined, body: '{}', expected: { statuses, codes: ['validation-failed'], ...(pointer === undefined ? {} : { pointer }) } });
const reply = (status: number, body: object, headers: Record<string, string> = {}): Reply => ({
  status, text: JSON.stringify(body), tookMs: 5, headers: { 'amana-mode': 'sandbox', 'cache-control': 'no-store', 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers },
});
const refusal = { code: 'validation-failed', status: 422, title: 'Some fields are wrong', traceId: 't1', errors: [{ pointer: '/beds', code: 'required' }] };

describe('What a reply is complained about for', () => {
  it('is nothing where a wrong body is refused with the field it is about', () => {
    expect(faultsOf(operation, attempt([422], '/beds'), reply(422, refusal))).toEqual([]);
  });

  it('is a failure on our side, even one that is declared', () => {
    expect(faultsOf(operation, attempt([422]), reply(500, { ...refusal, code: 'internal-error', status: 500 }))).toEqual(expect.arrayContaining(['a 5xx', 'expected 422']));
  });

  it('is a wrong body that was taken', () => {
    expect(operation.accepts({ beds: 'two' })).toBe(false);
    expect(faultsOf(operation, attempt([422]), reply(201, { roomId: 'r1' }))).toEqual(['expected 422']);
  });

  it('is a refusal without a field, about another field, or without its code', () => {
    expect(faultsOf(operation, attempt([422]), reply(422, { ...refusal, errors: [] }))).toEqual(['names no field']);
    expect(faultsOf(operation, attempt([422], '/name'), reply(422, refusal))).toEqual(['names /beds but not /name']);
    expect(faultsOf(operation, attempt([422]), reply(422, { ...refusal, code: 'something-else' }))).toEqual(['expected validation-failed', 'the document does not tell of something-else']);
  });

  it('is an error that is no problem body, or an answer without its mode', () => {
    expect(faultsOf(operation, attempt([422]), reply(422, { message: 'no' }))).toEqual(['no problem body but application/problem+json']);
    expect(faultsOf(operation, attempt([422]), reply(422, refusal, { 'amana-mode': '', 'cache-control': 'public' }))).toEqual(['no Amana-Mode: sandbox', 'no cache-control: no-store']);
  });

  it('is an answer or a status that the document does not declare', () => {
    expect(faultsOf(operation, { ...attempt([201]), kind: 'as declared' }, reply(201, { roomId: 'r1', address: 'secret' }))).toEqual(['the answer does not fit its schema:  must NOT have additional properties']);
    expect(faultsOf(operation, attempt([409]), reply(409, { ...refusal, status: 409 }))).toEqual(['the document does not declare 409']);
  });
});

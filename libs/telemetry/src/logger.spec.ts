import { describe, expect, it } from '@jest/globals';
import type { LogFields } from './log-fields.ts';
import { createLogger } from './logger.ts';
import type { LogLevel } from './logger.ts';

const referralId = '3f2b8a44-58a0-4a63-9c9e-0b8f4c1d2e3f';

describe('the logger', () => {
  it('drops a planted name wherever it is put, and counts it', () => {
    const { logger, lines } = capture();
    logger.info('referral-read', { referralId, code: 'Planted Name', name: 'Planted Name', person: { name: 'Planted Name' } } as LogFields);
    logger.warn('referral-read', { 'Planted Name': 1, referralId: 'Planted Name', route: '/v1/people/Planted Name' } as LogFields);
    logger.child({ topic: 'Planted Name' }).info('referral-read');
    expect(JSON.stringify(lines())).not.toContain('Planted');
    expect(lines().map((line) => line['droppedFields'])).toEqual([3, 3, undefined]);
    expect(lines()[0]).toMatchObject({ msg: 'referral-read', referralId });
  });

  it('drops a message that is no code', () => {
    const { logger, lines } = capture();
    const log = logger.info as (code: string) => void;
    log('Planted Name called');
    log('planted name');
    expect(lines()).toMatchObject([{ msg: 'log-code-refused', droppedFields: 1 }, { msg: 'log-code-refused', droppedFields: 1 }]);
    expect(JSON.stringify(lines())).not.toMatch(/planted/i);
  });

  it('lets only literal codes compile', () => {
    const { logger, lines } = capture();
    const unknownCode: string = 'some-code';
    // @ts-expect-error a string known at run time only
    logger.info(unknownCode);
    // @ts-expect-error a sentence
    logger.info('something happened');
    // @ts-expect-error a capital
    logger.info('Something');
    // @ts-expect-error a field nobody declared
    logger.info('some-code', { firstName: 'x' });
    logger.info('some-code', { count: 1 });
    expect(lines().map((line) => line['droppedFields'])).toEqual([undefined, 1, 1, 1, undefined]);
  });

  it('logs of an error its class, its code and its places, never its message', () => {
    const { logger, lines } = capture();
    const cause = Object.assign(new Error('Key (name)=(Planted Name) already exists'), { code: '23505', detail: 'Planted Name' });
    logger.error('write-failed', { error: new TypeError('for Planted Name\n    at Planted (planted.js:1:1)', { cause }) });
    const text = JSON.stringify(lines());
    expect(text).not.toMatch(/planted/i);
    expect(text).not.toContain(process.cwd());
    expect(lines()[0]).toMatchObject({ level: 'error', msg: 'write-failed', error: { name: 'TypeError', cause: { name: 'Error', code: '23505' } } });
    const { frames } = lines()[0]!['error'] as { frames: string[] };
    expect(frames[0]).toMatch(/^[\w.<>]+@libs\/telemetry\/src\/logger\.spec\.ts:\d+$/);
  });

  it('logs something that is no error, and a chain of causes without end, in a bounded line', () => {
    const { logger, lines } = capture();
    const endless = new Error('x');
    endless.cause = endless;
    logger.error('write-failed', { error: endless });
    logger.error('write-failed', { error: 'Planted Name' });
    expect(JSON.stringify(lines()[0]).length).toBeLessThan(8_000);
    expect(lines()[1]).toMatchObject({ error: { name: 'string', frames: [] } });
  });

  it('writes ids, codes, numbers and flags as they are, with service, level and time', () => {
    const { logger, lines } = capture();
    logger.child({ consumer: 'on-bed-held' }).info('event-handled', { referralId, durationMs: 4.2, position: 12n, duplicate: false, dueAt: new Date(0), reason: undefined });
    expect(lines()[0]).toMatchObject({
      level: 'info', service: 'referral', msg: 'event-handled', consumer: 'on-bed-held', referralId, durationMs: 4.2, position: '12', duplicate: false,
      dueAt: '1970-01-01T00:00:00.000Z', time: expect.stringMatching(/^\d{4}-/),
    });
    expect(lines()[0]).not.toHaveProperty('droppedFields');
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = capture('warn');
    logger.info('event-handled');
    logger.warn('event-late');
    expect(lines().map((line) => line['msg'])).toEqual(['event-late']);
  });
});

function capture(level: LogLevel = 'info') {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const logger = createLogger({ service: 'referral', level, destination });
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

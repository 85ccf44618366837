import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { EachBatchPayload } from 'kafkajs';
import { OffsetCommits } from './offset-commits.ts';

describe('telling the group how far it has come', () => {
  let sent: unknown[];
  let refuse: boolean;
  const payload = {
    commitOffsetsIfNecessary: ({ topics }: { topics: { topic: string; partitions: { partition: number; offset: string }[] }[] }) => {
      if (refuse) return Promise.reject(new Error('the coordinator is away'));
      sent.push(topics.map(({ topic, partitions }) => `${topic}:${partitions[0]!.partition}@${partitions[0]!.offset}`));
      return Promise.resolve();
    },
  } as unknown as EachBatchPayload;
  const note = (commits: OffsetCommits, partition: number, offset: string): void => commits.note(payload, { topic: 't', partition, offset });

  beforeEach(() => {
    jest.useFakeTimers();
    [sent, refuse] = [[], false];
  });
  afterEach(() => { jest.useRealTimers(); });

  it('tries a commit that failed again a second later, with what came meanwhile', async () => {
    const commits = new OffsetCommits();
    refuse = true;
    note(commits, 1, '5');
    await jest.advanceTimersByTimeAsync(200);
    refuse = false;
    note(commits, 2, '9');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([['t:1@5', 't:2@9']]);
  });

  it('sends nothing more once the member has a new place in its group', async () => {
    const commits = new OffsetCommits();
    note(commits, 1, '5');
    commits.forget();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
  });

  it('sends the newest place of each partition in one request, and nothing twice', async () => {
    const commits = new OffsetCommits();
    for (const offset of ['5', '6', '7']) note(commits, 1, offset);
    note(commits, 2, '3');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([['t:1@7', 't:2@3']]);
    await commits.flush();
    expect(sent).toHaveLength(1);
  });
});

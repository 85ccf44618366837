import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createTopics } from '@amana/local';
import type { Benchmark, Session } from './benchmark.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { canReadProcesses, usageOf } from './process-usage.ts';
import { median } from './statistics.ts';

const reference = 'a bare kafkajs producer and consumer, as they come, in a process of their own';
const cpu = { name: 'idle-cpu', unit: '% of a core', reference, bar: { of: 'value', atMost: 3 } as Bar };
const memory = { name: 'idle-memory', unit: 'MB', reference, bar: { of: 'value', atMost: 220 } as Bar };
const seconds = 20;
/** What a start leaves behind has been collected and compiled by then. */
const settleMs = 15_000;

/** What one service process on Kafka takes while nobody asks anything of it: relay, consumer, due rows, probes. */
export const idle: Benchmark = {
  name: 'idle',
  async measure(session: Session): Promise<Figure[]> {
    const missing = canReadProcesses ? Network.withoutKafka() : 'Only Linux tells of its processes in /proc';
    if (missing !== undefined) return [skippedFigure(cpu, missing), skippedFigure(memory, missing)];
    const network = await Network.start(session, { kafka: true });
    await network.prepare('referral');
    await network.startIssuer();
    const service = (await network.startService('referral')).pid!;
    const client = await startIdleClient(session, network.kafka!.brokers);
    await pause(settleMs);
    const shares: { service: number[]; client: number[] } = { service: [], client: [] };
    for (let run = 1; run <= session.runs; run += 1) {
      const [before, beforeClient] = [usageOf(service), usageOf(client)];
      const startedMs = performance.now();
      await pause(seconds * 1_000);
      const elapsed = (performance.now() - startedMs) / 1_000;
      shares.service.push((100 * (usageOf(service).cpuSeconds - before.cpuSeconds)) / elapsed);
      shares.client.push((100 * (usageOf(client).cpuSeconds - beforeClient.cpuSeconds)) / elapsed);
      session.tell(`Run ${run}: ${shares.service.at(-1)!.toFixed(2)} % of a core, beside ${shares.client.at(-1)!.toFixed(2)} %.`);
    }
    return [
      toFigure({ ...cpu, value: median(shares.service), referenceValue: median(shares.client), note: `over ${seconds} s a run` }),
      toFigure({ ...memory, value: usageOf(service).residentMb, referenceValue: usageOf(client).residentMb, note: 'resident, at the end' }),
    ];
  },
};

async function startIdleClient(session: Session, broker: string): Promise<number> {
  const topic = 'bench.idle';
  await createTopics(broker, [{ topic, partitions: 12 }]);
  const child = fork(join(import.meta.dirname, 'idle-client.js'), [broker, topic], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(child, 'exit');
  session.onEnd(async () => { child.kill('SIGKILL'); await ended; });
  await Promise.race([once(child, 'message'), ended.then(() => { throw new Error('The idle client ended'); })]);
  return child.pid!;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

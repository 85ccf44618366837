import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The program that a partner runs as a witness. */
export const witnessProgram = join(import.meta.dirname, '../../ledger/kit/witness.mjs');

export interface RunningWitness {
  readonly url: string;
  /** The public half, as the program prints it. */
  readonly key: string;
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a witness of the log with this key on a free port; what it has seen stays in `stateDir`. Throws when it ends first. */
export async function startWitness({ logKey, name, stateDir }: { logKey: string; name: string; stateDir: string }): Promise<RunningWitness> {
  const child: ChildProcess = spawn(process.execPath, [witnessProgram, '--log', logKey, '--name', `witness.example/${name}`, '--state', stateDir, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface(child.stdout!)) if (said.push(line) === 2) break;
  if (said.length < 2) throw new Error('The witness ended before it served');
  return {
    url: said[1]!.replace('serving ', ''), key: said[0]!.replace('witness key ', ''),
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Processor time since the process began, of all its threads. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

/** Whether the system tells of its processes in the way that is read here. */
export const canReadProcesses = existsSync('/proc/self/stat');

let ticksPerSecond: number | undefined;

/** What a process has used, by the kernel's own account. */
export function usageOf(pid: number): ProcessUsage {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name stands in parentheses and may hold anything; utime and stime are the 14th and 15th fields of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const residentKb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, residentMb: Number(residentKb) / 1024 };
}

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Processor time since the process began, of all its threads. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

/** Whether the system tells of its processes in the way that is read here. */
export const canReadProcesses = existsSync('/proc/self/stat');

let ticksPerSecond: number | undefined;

/** What a process has used, by the kernel's own account. Throws when it has ended. */
export function usageOf(pid: number): ProcessUsage {
  const residentKb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSeconds: secondsOf(statOf(pid), 11, 12), residentMb: Number(residentKb) / 1024 };
}

/** Processor time of a process and of its children, those that have ended included: a database server and its sessions. */
export function cpuSecondsWithChildren(pid: number): number {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = statOf(Number(name));
      return stat[1] === String(pid) ? secondsOf(stat, 11, 12) : 0;
    } catch {
      return 0;
    }
  });
  return secondsOf(statOf(pid), 11, 12, 13, 14) + children.reduce((sum, seconds) => sum + seconds, 0);
}

/** The fields after the name, which stands in parentheses and may hold anything: state, parent, ..., utime (11), stime, cutime, cstime (14). */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function secondsOf(stat: readonly string[], ...fields: readonly number[]): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return fields.reduce((ticks, field) => ticks + Number(stat[field]), 0) / ticksPerSecond;
}

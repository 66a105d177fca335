import { readdirSync, readFileSync } from "node:fs";

/** What the operating system says about a process. */
export interface ProcessUsage {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Thereof of the first thread, which is Node's event loop. */
  readonly mainThreadCpuSeconds: number;
  readonly residentMib: number;
  /** Highest resident size since the process started. */
  readonly peakResidentMib: number;
}

/** USER_HZ, the unit of times in /proc; it is part of Linux' interface to programs and 100 on every current platform. */
const TICKS_PER_SECOND = 100;

/** Usage of a process from /proc; `undefined` where there is no /proc. */
export function readProcessUsage(pid: number): ProcessUsage | undefined {
  if (process.platform !== "linux") return undefined;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    cpuSeconds: toCpuSeconds(readStat(`${pid}`)),
    mainThreadCpuSeconds: toCpuSeconds(readStat(`${pid}/task/${pid}`)),
    residentMib: readMib(status, /^VmRSS:\s+(\d+) kB$/m),
    peakResidentMib: readMib(status, /^VmHWM:\s+(\d+) kB$/m),
  };
}

/** The same, summed over processes. Memory that they share counts for each. */
export function readUsageOfAll(pids: readonly number[]): ProcessUsage | undefined {
  let total: ProcessUsage | undefined;
  for (const pid of pids) {
    const usage = readIfAlive(pid);
    if (usage === undefined) continue;
    total = {
      cpuSeconds: usage.cpuSeconds + (total?.cpuSeconds ?? 0),
      mainThreadCpuSeconds: usage.mainThreadCpuSeconds + (total?.mainThreadCpuSeconds ?? 0),
      residentMib: usage.residentMib + (total?.residentMib ?? 0),
      peakResidentMib: usage.peakResidentMib + (total?.peakResidentMib ?? 0),
    };
  }
  return total;
}

/** A process and all that descend from it, itself first; only itself where there is no /proc. */
export function listProcessTree(root: number): readonly number[] {
  if (process.platform !== "linux") return [root];
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = readStatIfAlive(name);
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]));
  }
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

/** Fields behind the program's name, which stands in parentheses and may hold blanks. */
function readStat(path: string): readonly string[] {
  const stat = readFileSync(`/proc/${path}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Processes may end between being listed and being read. */
function readStatIfAlive(path: string): readonly string[] | undefined {
  try {
    return readStat(path);
  } catch {
    return undefined;
  }
}

function readIfAlive(pid: number): ProcessUsage | undefined {
  try {
    return readProcessUsage(pid);
  } catch {
    return undefined;
  }
}

function toCpuSeconds(fields: readonly string[]): number {
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function readMib(status: string, pattern: RegExp): number {
  return Number(pattern.exec(status)?.[1] ?? 0) / 1024;
}

import { readFileSync } from "node:fs";

/** What the operating system says about a process. */
export interface ProcessUsage {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  readonly residentMib: number;
  /** Highest resident size since the process started. */
  readonly peakResidentMib: number;
}

/** USER_HZ, the unit of times in /proc; it is part of Linux' interface to programs and 100 on every current platform. */
const TICKS_PER_SECOND = 100;

/** Usage of a process from /proc; `undefined` where there is no /proc. */
export function readProcessUsage(pid: number): ProcessUsage | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses and may hold blanks, so counting starts behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentMib: readMib(status, /^VmRSS:\s+(\d+) kB$/m),
    peakResidentMib: readMib(status, /^VmHWM:\s+(\d+) kB$/m),
  };
}

function readMib(status: string, pattern: RegExp): number {
  return Number(pattern.exec(status)?.[1] ?? 0) / 1024;
}

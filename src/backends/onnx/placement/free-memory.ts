import type { ReadFile } from "./control-groups.ts";
import { listControlGroups, readOr, readSystemFile } from "./control-groups.ts";

/**
 * Bytes that this process may still take without anybody being killed for it: what the kernel holds to be available, and
 * within the limits of its control groups (`memory.max`, of which files that nobody uses count as free). Infinite where
 * nobody says.
 */
export function readFreeMemory(read: ReadFile = readSystemFile): number {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readOr("", "/proc/meminfo", read))?.[1];
  const machine = available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024;
  const groups = listControlGroups(read).map((group) => readGroup(group, read));
  return Math.max(0, Math.min(machine, ...groups));
}

function readGroup(group: string, read: ReadFile): number {
  const limit = Number(readOr("max", `${group}/memory.max`, read).trim());
  if (!(limit >= 0)) return Number.POSITIVE_INFINITY;
  const used = Number(readOr("0", `${group}/memory.current`, read).trim());
  const stat = readOr("", `${group}/memory.stat`, read);
  const idle = Number(/^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return limit - used + idle;
}

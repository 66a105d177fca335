import { availableParallelism } from "node:os";
import type { ReadFile } from "./control-groups.ts";
import { listControlGroups, readOr, readSystemFile } from "./control-groups.ts";

/**
 * Cores that this process may keep busy; at least 1. Beside the affinity mask that Node knows, a container's quota
 * counts (`cpu.max` of control groups, version 2), rounded down: a thread that the quota stops in the middle of a run
 * makes everybody wait.
 *
 * @param read reads a file of Linux; tests pass their own
 */
export function countCores(
  parallelism: number = availableParallelism(),
  read: ReadFile = readSystemFile,
): number {
  const quotas = listControlGroups(read).map((group) => readQuota(`${group}/cpu.max`, read));
  return Math.max(1, Math.floor(Math.min(parallelism, ...quotas)));
}

/** Cores by a file `<microseconds> <per microseconds>`; infinite for `max …` and where there is no such file. */
function readQuota(path: string, read: ReadFile): number {
  const [quota = Number.NaN, period = Number.NaN] = readOr("", path, read)
    .trim()
    .split(" ")
    .map(Number);
  const cores = quota / period;
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const CGROUP_ROOT = "/sys/fs/cgroup";

/**
 * Cores that this process may keep busy; at least 1. Beside the affinity mask that Node knows, a container's quota
 * counts (`cpu.max` of control groups, version 2), rounded down: a thread that the quota stops in the middle of a run
 * makes everybody wait.
 *
 * @param read reads a file of Linux; tests pass their own
 */
export function countCores(
  parallelism: number = availableParallelism(),
  read: (path: string) => string = (path) => readFileSync(path, "utf8"),
): number {
  const quotas = listGroups(read).map((group) => readQuota(`${CGROUP_ROOT}${group}/cpu.max`, read));
  return Math.max(1, Math.floor(Math.min(parallelism, ...quotas)));
}

/** The control group of this process and all above it, each of which may set a quota: `/`, `/a`, `/a/b`. */
function listGroups(read: (path: string) => string): readonly string[] {
  const own = /^0::(\/.*)$/m.exec(readOr("", "/proc/self/cgroup", read))?.[1] ?? "/";
  const parts = own.split("/").filter((part) => part !== "");
  return ["", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
}

/** Cores by a file `<microseconds> <per microseconds>`; infinite for `max …` and where there is no such file. */
function readQuota(path: string, read: (path: string) => string): number {
  const [quota = Number.NaN, period = Number.NaN] = readOr("", path, read)
    .trim()
    .split(" ")
    .map(Number);
  const cores = quota / period;
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function readOr(otherwise: string, path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch {
    return otherwise;
  }
}

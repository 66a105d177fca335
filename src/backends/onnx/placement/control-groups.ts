import { readFileSync } from "node:fs";

const CGROUP_ROOT = "/sys/fs/cgroup";

/** Reads a small file of Linux; tests pass their own. */
export type ReadFile = (path: string) => string;

export const readSystemFile: ReadFile = (path) => readFileSync(path, "utf8");

/** Folders of the control group (version 2) of this process and of all above it, each of which may set limits. */
export function listControlGroups(read: ReadFile): readonly string[] {
  const own = /^0::(\/.*)$/m.exec(readOr("", "/proc/self/cgroup", read))?.[1] ?? "/";
  const parts = own.split("/").filter((part) => part !== "");
  const paths = ["", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
  return paths.map((path) => `${CGROUP_ROOT}${path}`);
}

/** What is in a file, or `otherwise` where there is none. */
export function readOr(otherwise: string, path: string, read: ReadFile): string {
  try {
    return read(path);
  } catch {
    return otherwise;
  }
}

import { expect, test } from "vitest";
import { readFreeMemory } from "./free-memory.ts";

const GB = 1024 ** 3;
const MEMINFO = "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n";

function readerOf(files: Readonly<Record<string, string>>) {
  return (path: string) => {
    const found = files[path];
    if (found === undefined) throw new Error("ENOENT");
    return found;
  };
}

test("is what the kernel says", () => {
  expect(readFreeMemory(readerOf({ "/proc/meminfo": MEMINFO }))).toBe(8 * GB);
});

test("is unknown where there is no Linux", () => {
  expect(readFreeMemory(readerOf({}))).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ["has no limit", "max", 8 * GB],
  ["has one above what is free", `${64 * GB}`, 8 * GB],
  ["has one below", `${2 * GB}`, GB],
  ["is full", `${GB / 4}`, 0],
])("a container that %s", (_name, limit, free) => {
  const group = "/sys/fs/cgroup/pods/one";
  const files = {
    "/proc/meminfo": MEMINFO,
    "/proc/self/cgroup": "0::/pods/one\n",
    [`${group}/memory.max`]: `${limit}\n`,
    [`${group}/memory.current`]: `${1.5 * GB}\n`,
    [`${group}/memory.stat`]: `anon 1\ninactive_file ${GB / 2}\n`,
  };
  expect(readFreeMemory(readerOf(files))).toBe(free);
});

test("is known on this machine", () => {
  expect(readFreeMemory()).toBeGreaterThan(0);
});

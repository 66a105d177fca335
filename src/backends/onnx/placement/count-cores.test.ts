import { describe, expect, test } from "vitest";
import { countCores } from "./count-cores.ts";

/** A Linux that has only these files. */
function readFrom(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`There is no ${path}.`);
    return text;
  };
}

describe("cores that may be kept busy", () => {
  test("without control groups all that Node knows of count", () => {
    expect(countCores(8, readFrom({}))).toBe(8);
  });

  test("a container's quota counts, rounded down but not to nothing", () => {
    const withQuota = (quota: string) =>
      countCores(8, readFrom({ "/sys/fs/cgroup/cpu.max": `${quota}\n` }));
    expect(withQuota("250000 100000")).toBe(2);
    expect(withQuota("50000 100000")).toBe(1);
    expect(withQuota("1600000 100000")).toBe(8);
    expect(withQuota("max 100000")).toBe(8);
  });

  test("outside a container, the tightest of the groups above the process counts", () => {
    const files = {
      "/proc/self/cgroup": "1:name=systemd:/\n0::/app.slice/sluice.service\n",
      "/sys/fs/cgroup/cpu.max": "max 100000",
      "/sys/fs/cgroup/app.slice/cpu.max": "300000 100000",
      "/sys/fs/cgroup/app.slice/sluice.service/cpu.max": "max 100000",
    };
    expect(countCores(8, readFrom(files))).toBe(3);
  });

  test("a file that says something else changes nothing", () => {
    for (const text of ["", "many", "0 100000", "-1 100000"]) {
      expect(countCores(4, readFrom({ "/sys/fs/cgroup/cpu.max": text }))).toBe(4);
    }
  });

  test("on this machine there is at least one", () => {
    expect(countCores()).toBeGreaterThanOrEqual(1);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { listProcessTree, readProcessUsage, readUsageOfAll } from "./process-usage.ts";

const isLinux = process.platform === "linux";

describe.skipIf(!isLinux)(`processes${isLinux ? "" : " [skipped: no /proc]"}`, () => {
  test("this process has memory, has used time, and its first thread no more than all", () => {
    const usage = readProcessUsage(process.pid);
    expect(usage?.residentMib).toBeGreaterThan(10);
    expect(usage?.cpuSeconds).toBeGreaterThanOrEqual(usage?.mainThreadCpuSeconds ?? Number.NaN);
  });

  test("a child belongs to the tree of its parent and is counted with it", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 10_000)"]);
    await once(child, "spawn");
    expect(listProcessTree(process.pid)).toContain(child.pid);
    const own = readUsageOfAll([process.pid])?.residentMib ?? Number.NaN;
    const both = readUsageOfAll([process.pid, child.pid ?? 0])?.residentMib ?? Number.NaN;
    expect(both).toBeGreaterThan(own);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readUsageOfAll([child.pid ?? 0])).toBeUndefined();
  });
});

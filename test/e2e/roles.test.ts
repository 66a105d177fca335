import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { ServerProcess } from "../support/server-process.ts";
import { startServerProcess } from "../support/server-process.ts";

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));

test("one configuration, three processes: an engine that is killed under load costs no request", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-roles-"));
  const processes = new Set<ServerProcess>();
  const start = async (...words: string[]) => {
    const process = await startServerProcess(["--config", join(folder, "sluice.yaml"), ...words]);
    processes.add(process);
    return process;
  };
  const kill = async (process: ServerProcess) => {
    processes.delete(process);
    await process.stop("SIGKILL");
  };
  try {
    await writeFile(
      join(folder, "sluice.yaml"),
      `models: { directory: ${JSON.stringify(MODELS)} }\nrateLimit: { requests: 0 }\n`,
    );
    const startEngine = (port = "0") => start("--role", "engine", "--engine.port", port);
    let first = await startEngine();
    const second = await startEngine();
    const urls = JSON.stringify([first.url, second.url]);
    const gateway = await start("--role", "gateway", "--engine.urls", urls);
    const statuses = new Map<number, number>();
    let running = true;
    let sent = 0;
    const caller = async () => {
      while (running) {
        const answer = await fetch(`${gateway.url}/classify`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ text: `Day ${sent++} was fine.`, model_version: "1.0.0" }),
        });
        await answer.arrayBuffer();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    const { port } = new URL(first.url);
    for (let round = 0; round < 2; round++) {
      await sleep(400);
      await kill(first);
      await sleep(400);
      first = await startEngine(port);
    }
    // The one that came back works again, in time.
    const endMs = performance.now() + 15_000;
    let hasWorked = false;
    while (!hasWorked && performance.now() < endMs) {
      await sleep(200);
      const metrics = await (await fetch(`${first.url}/metrics`)).text();
      hasWorked = /^ai_model_predictions_total\{.*\} [1-9]/m.test(metrics);
    }
    running = false;
    await Promise.all(callers);
    expect(Object.fromEntries(statuses)).toEqual({ 200: expect.any(Number) });
    expect(statuses.get(200)).toBeGreaterThan(50);
    expect(hasWorked).toBe(true);
  } finally {
    await Promise.all([...processes].map((process) => process.stop("SIGTERM")));
    await rm(folder, { recursive: true });
  }
}, 120_000);

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

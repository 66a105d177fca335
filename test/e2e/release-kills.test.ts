import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import type { ServerProcess } from "../support/server-process.ts";
import { startServerProcess } from "../support/server-process.ts";

const SHIPPED = new URL("../../models/text-classification/1.0.0", import.meta.url).pathname;
const LIMIT_MS = 120_000;

let folder: string | undefined;
const servers: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop("SIGKILL").catch(() => {})));
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Release {
  readonly id: string;
  readonly phase: string;
  readonly step: number;
}

async function find(server: ServerProcess, id: string): Promise<Release> {
  return (await (await fetch(`${server.url}/v1/releases/${id}`)).json()) as Release;
}

test(
  "a release whose leader is killed is gone on with by the next, and nobody's answer fails there",
  async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-release-kills-"));
    const directory = join(folder, "models/text-classification");
    for (const version of ["1.0.0", "1.1.0"]) {
      const path = join(directory, version);
      await cp(SHIPPED, path, { recursive: true });
      const manifest = JSON.parse(await readFile(join(path, "manifest.json"), "utf8"));
      await writeFile(join(path, "manifest.json"), JSON.stringify({ ...manifest, version }));
    }
    const records = join(folder, "records.db");
    const start = async () => {
      const server = await startServerProcess([
        `--models.directory=${join(folder ?? "", "models")}`,
        '--models.defaultVersions={"text-classification":"1.0.0"}',
        `--records.store.path=${records}`,
        "--releases.enabled=on",
        "--releases.pollMs=50",
        "--releases.leaseMs=1000",
      ]);
      servers.push(server);
      return server;
    };
    // The first to start leads.
    const leader = await start();
    const next = await start();
    const started = await fetch(`${next.url}/v1/releases`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ model: "text-classification", candidate: "1.1.0", interval_ms: 1000, min_samples: 20 },
        ...{ sticky_by: { kind: "request" }, mirror_share: 50 },
        strategy: { kind: "canary", step_weights: [20, 40, 60] },
        // Both processes share two cores with the other tests.
        metrics: [
          { name: "errors", kind: "success_rate", min_ratio: 0.99 },
          { name: "disagreement", kind: "label_disagreement", max_ratio: 0.1 },
        ],
      }),
    });
    expect(started.status).toBe(201);
    const { id } = (await started.json()) as Release;

    let isOver = false;
    const statuses = new Map<number, number>();
    const versions = new Set<string>();
    const call = async () => {
      for (let at = 0; !isOver; at++) {
        const response = await fetch(`${next.url}/classify`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ text: `a fine place, ${at} of ${Math.random()}` }),
        });
        const { model_version: version } = (await response.json()) as { model_version: string };
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        versions.add(version);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const calls = [call(), call()];
    await expect.poll(() => find(next, id), { timeout: 20_000 }).toMatchObject({ step: 1 });
    const holderOf = () => {
      const database = new DatabaseSync(records, { readOnly: true });
      const row = database.prepare("select holder from leases").get();
      database.close();
      return row?.["holder"];
    };
    const before = holderOf();
    await leader.stop("SIGKILL");
    await expect
      .poll(async () => (await find(next, id)).phase, { timeout: 60_000 })
      .toBe("succeeded");
    isOver = true;
    await Promise.all(calls);
    expect(holderOf()).not.toBe(before);
    expect([...statuses.keys()]).toEqual([200]);
    expect(versions).toEqual(new Set(["1.0.0", "1.1.0"]));
    const history = await fetch(`${next.url}/v1/releases/${id}/history?limit=1000`);
    const { events } = (await history.json()) as { events: { action: string; weight: number }[] };
    const steps = events.filter(({ action }) => action === "advance").map(({ weight }) => weight);
    // Each step once, whoever decided.
    expect(steps.toReversed()).toEqual([20, 40, 60]);
  },
  LIMIT_MS,
);

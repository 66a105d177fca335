import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FetchingServer, makeLoosePackage } from "../support/fetching-server.ts";
import { ObjectStore } from "../support/object-store.ts";
import { createRandom } from "../support/random.ts";
import { startServerProcess } from "../support/server-process.ts";

const BUCKET = "models";
const KILLS = 10;
const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));

let bench: FetchingServer;
let store: ObjectStore;
beforeEach(async () => {
  bench = await FetchingServer.create();
  store = await ObjectStore.start();
  const { files, remove } = await makeLoosePackage("reviews", "1.0.0");
  for (const [name, bytes] of files) store.put(BUCKET, `reviews/1.0.0/${name}`, bytes);
  await remove();
});
afterEach(async () => {
  await bench.close();
  await store.close();
});

const words = (...more: string[]) => [
  `--models.directory=${bench.local.path}`,
  "--models.defaultModel=local",
  `--models.fetching.directory=${bench.packages}`,
  `--models.buckets=${JSON.stringify([{ bucket: BUCKET, endpoint: store.url }])}`,
  `--records.store.path=${bench.folder}/records.db`,
  `--vectors.store.path=${bench.folder}/vectors.db`,
  ...more,
];

async function ask(url: string): Promise<number> {
  const body = JSON.stringify({ text: "A good film.", model: "reviews" });
  const headers = { "content-type": "application/json" };
  return (await fetch(`${url}/classify`, { method: "POST", headers, body })).status;
}

test("a server that is killed again and again while it fetches goes on where it was, and takes no half package", async () => {
  const seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 1e6));
  console.log(`seed of the kills: ${seed}`);
  const random = createRandom(seed);
  // All of it takes longer than all of the kills.
  store.faults.pauseMs = 400;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [MAIN, "--server.port=0", ...words()], {
      stdio: "ignore",
    });
    const exited = once(child, "exit");
    // Its list, and the first object.
    const before = store.requests;
    await expect.poll(() => store.requests - before, { timeout: 15_000 }).toBeGreaterThan(1);
    await sleep(random() * 600);
    child.kill("SIGKILL");
    await exited;
    const kept = await readdir(bench.packages, { recursive: true });
    const whole = kept.filter((path) => path.endsWith("manifest.json") && !/incoming/.test(path));
    expect(whole).toEqual([]);
  }
  store.faults.pauseMs = 0;
  const server = await startServerProcess(words());
  expect(await ask(server.url)).toBe(200);
  await server.stop("SIGTERM");
  expect(store.ranges.length).toBeGreaterThan(0);
  const left = await readdir(bench.packages, { recursive: true });
  expect(left.filter((path) => /incoming|\.part/.test(path))).toEqual([]);
}, 180_000);

test("several processes with one folder fetch a package once", async () => {
  store.faults.pauseMs = 10;
  const server = await startServerProcess(words("--server.processes=2", "--rateLimit.requests=0"));
  const seen = await Promise.all(Array.from({ length: 12 }, () => ask(server.url)));
  expect(new Set(seen)).toEqual(new Set([200]));
  expect(await server.stop("SIGTERM")).toBe(0);
  const objects = (await readdir(bench.packages, { recursive: true })).filter((path) =>
    /\.(json|onnx|md)$/.test(path),
  );
  expect(objects).toHaveLength(3);
  // Each process lists once at the start, and perhaps once more.
  expect(store.requests - objects.length).toBeLessThanOrEqual(4);
}, 60_000);

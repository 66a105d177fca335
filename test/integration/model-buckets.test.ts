import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FetchingServer, makeLoosePackage } from "../support/fetching-server.ts";
import { writeRandomClassifier } from "../support/model-folder.ts";
import { ObjectStore, STORE_KEYS } from "../support/object-store.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";
import type { TestServer } from "../support/test-server.ts";

const BUCKET = "models";

let bench: FetchingServer;
let store: ObjectStore;
beforeEach(async () => {
  bench = await FetchingServer.create();
  store = await ObjectStore.start({ keys: STORE_KEYS, pageSize: 2 });
});
afterEach(async () => {
  await bench.close();
  await store.close();
});

function start(flags: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const bucket = { bucket: BUCKET, prefix: "prod", endpoint: store.url, ...STORE_KEYS };
  return bench.start({ "models.buckets": JSON.stringify([bucket]), ...flags });
}

async function putPackage(model: string, version: string, seed = 1): Promise<void> {
  const { files, remove } = await makeLoosePackage(model, version, seed);
  for (const [name, bytes] of files) store.put(BUCKET, `prod/${model}/${version}/${name}`, bytes);
  await remove();
}

describe("a bucket", () => {
  test("is served from, is followed, and its versions go live like any other", async () => {
    await putPackage("reviews", "1.0.0");
    store.put(BUCKET, "prod/README.md", "not a package");
    store.put(BUCKET, "other/reviews/9.0.0/manifest.json", "{}");
    await start();
    expect(await bench.states()).toEqual({ "local 1.0.0": "ready", "reviews 1.0.0": "ready" });
    expect(await bench.ask("reviews")).toBe("1.0.0");
    await putPackage("reviews", "1.1.0", 2);
    await expect.poll(() => bench.ask("reviews"), { timeout: 10_000 }).toBe("1.1.0");
    store.remove(BUCKET, "prod/reviews/1.1.0");
    await expect.poll(() => bench.ask("reviews"), { timeout: 10_000 }).toBe("1.0.0");
    expect(await bench.ask("local")).toBe("1.0.0");
  });

  test("is asked again where an answer broke off, for what is missing", async () => {
    await putPackage("reviews", "1.0.0");
    store.faults.breaks = { after: 100_000, times: 3 };
    store.faults.refusals = 2;
    await start();
    expect(await bench.ask("reviews")).toBe("1.0.0");
    expect(store.ranges).toContain("bytes=100000-");
  });

  test("that lies is found out, and its version fails until it does not", async () => {
    await putPackage("reviews", "1.0.0");
    store.faults.isLying = true;
    await start();
    const { "reviews 1.0.0": seen, ...rest } = await bench.states();
    expect(seen).toMatch(
      /^failed: The object .* does not have the MD5 that its store has of it\.$/,
    );
    expect(rest).toEqual({ "local 1.0.0": "ready" });
    store.faults.isLying = false;
    const load = `${bench.server.url}/models/reviews/versions/1.0.0/load`;
    expect((await fetch(load, { method: "POST" })).status).toBe(200);
    expect(await bench.ask("reviews")).toBe("1.0.0");
  });

  test("that vanishes changes nothing: what was fetched serves on, and serves again without it", async () => {
    await putPackage("reviews", "1.0.0");
    const first = await start();
    store.remove(BUCKET);
    const isWarned = () =>
      first.log.some(({ fields }) => String(fields?.["reason"]).includes("NoSuchBucket"));
    await expect.poll(isWarned, { timeout: 10_000 }).toBe(true);
    expect(await bench.ask("reviews")).toBe("1.0.0");
    await first.drain();
    await store.close();
    const second = await start();
    expect(await bench.ask("reviews")).toBe("1.0.0");
    expect(second.log.some(({ message }) => message.includes("fetched before"))).toBe(true);
  });

  test("that is silent, or nowhere, keeps nobody from serving what is here", async () => {
    const silent = await startScriptedHttpServer(() => {});
    try {
      const buckets = [silent.url, "http://127.0.0.1:1"].map((endpoint) => ({
        bucket: BUCKET,
        endpoint,
      }));
      await start({
        "models.buckets": JSON.stringify(buckets),
        "models.fetching.timeoutMs": "300",
        "models.fetching.attempts": "2",
      });
      expect(await bench.ask("local")).toBe("1.0.0");
      const reasons = bench.server.log.map(({ fields }) => String(fields?.["reason"])) ?? [];
      expect(reasons.some((reason) => reason.includes("silent for 300 ms"))).toBe(true);
      expect(reasons.some((reason) => reason.includes("ECONNREFUSED"))).toBe(true);
    } finally {
      await silent.kill();
    }
  });

  test.each([
    ["no key", {}, "AccessDenied"],
    ["a wrong secret", { ...STORE_KEYS, secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
  ])("that is asked with %s says so, and the log does too", async (_what, keys, code) => {
    await putPackage("reviews", "1.0.0");
    const bucket = { bucket: BUCKET, prefix: "prod", endpoint: store.url, ...keys };
    await start({ "models.buckets": JSON.stringify([bucket]) });
    expect(await bench.states()).toEqual({ "local 1.0.0": "ready" });
    const text = JSON.stringify(bench.server.log);
    expect(text).toContain(`was answered with the status 403 (${code}); check its credentials`);
    expect(text).not.toContain(STORE_KEYS.accessKeyId);
    expect(text).not.toContain("wrong");
  });

  test("with a version that is wrong in itself serves the others", async () => {
    await putPackage("reviews", "1.0.0");
    await putPackage("reviews", "1.1.0", 2);
    store.put(BUCKET, "prod/reviews/1.1.0/model.onnx", writeRandomClassifier(3));
    await putPackage("reviews", "1.2.0", 2);
    store.put(BUCKET, "prod/reviews/1.2.0/model.onnx", writeRandomClassifier(3).subarray(0, 900));
    await putPackage("reviews", "1.3.0", 2);
    store.remove(BUCKET, "prod/reviews/1.3.0/model.onnx");
    store.put(BUCKET, "prod/reviews/latest/manifest.json", "{}");
    store.put(BUCKET, "prod/reviews/1.4.0/../../../../evil", "x");
    await start();
    const seen = await bench.states();
    expect(seen["reviews 1.0.0"]).toBe("ready");
    expect(seen["reviews 1.1.0"]).toMatch(/^failed: .*model\.onnx.*SHA-256|^failed: .*digest/);
    expect(seen["reviews 1.2.0"]).toMatch(/^failed: /);
    expect(seen["reviews 1.3.0"]).toMatch(/^failed: .*model\.onnx/);
    expect(seen["reviews latest"]).toMatch(/^failed: .*major\.minor\.patch/);
    expect(seen["reviews 1.4.0"]).toMatch(/^failed: .*outside/);
    expect(await bench.ask("reviews")).toBe("1.0.0");
    expect(await readdir(bench.folder)).toEqual(["packages"]);
  });

  test("and the folder have the same version: the folder's is served, with a warning", async () => {
    await putPackage("local", "1.0.0", 7);
    await start();
    expect(await bench.states()).toEqual({ "local 1.0.0": "ready" });
    const warned = bench.server.log.filter(({ message }) => message.startsWith("Two sources"));
    expect(warned).toHaveLength(1);
    expect(store.ranges).toEqual([]);
  });

  test("is not asked twice for what was fetched, and what it has no more is not kept for ever", async () => {
    await putPackage("reviews", "1.0.0");
    await putPackage("reviews", "1.1.0", 2);
    await start();
    await bench.stop();
    store.remove(BUCKET, "prod/reviews/1.0.0");
    const before = store.requests;
    await start({ "models.watchMs": "0" });
    // One page of the list, and another.
    expect(store.requests - before).toBe(2);
    const kept = await readdir(bench.packages, { recursive: true });
    expect(kept.filter((path) => path.endsWith("model.onnx"))).toHaveLength(1);
    expect(await bench.ask("reviews")).toBe("1.1.0");
  });

  test("that sends slowly holds up nobody, and the server ends all the same", async () => {
    await start();
    await putPackage("reviews", "1.0.0");
    store.faults.pauseMs = 200;
    await expect
      .poll(async () => (await bench.states())["reviews 1.0.0"], { timeout: 10_000 })
      .toBe("fetching");
    await bench.local.write({ model: "local", version: "1.1.0", bytes: writeRandomClassifier(5) });
    await expect.poll(() => bench.ask("local"), { timeout: 5000 }).toBe("1.1.0");
    expect((await bench.states())["reviews 1.0.0"]).toBe("fetching");
    const startedMs = performance.now();
    await bench.stop();
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });
});

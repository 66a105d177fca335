import { afterEach, expect, test } from "vitest";
import { createOpenInferenceBackend } from "../../src/backends/open-inference/create-open-inference-backend.ts";
import type { RemotePoolOptions } from "../../src/backends/remote/remote-pool-options.ts";
import type { RemoteTensorBackend } from "../../src/backends/remote/remote-tensor-backend.ts";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import type { ScriptedModel, ScriptedModelServer } from "../support/scripted-model-server.ts";
import { startScriptedModelServer } from "../support/scripted-model-server.ts";

/** Doubles numbers. */
const DOUBLER: ScriptedModel = {
  signature: {
    inputs: [{ name: "x", datatype: "FP32", shape: [null] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [null] }],
  },
  readsBinary: true,
  answer: ([x]) => {
    const data = x?.datatype === "FP32" ? x.data.map((value) => 2 * value) : new Float32Array(0);
    return [{ name: "y", datatype: "FP32", shape: [data.length], data }];
  },
};

const tidyUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const tidyUp of tidyUps.splice(0).reverse()) await tidyUp();
});

async function startServers(count: number, model = DOUBLER): Promise<ScriptedModelServer[]> {
  const servers: ScriptedModelServer[] = [];
  for (let i = 0; i < count; i++) servers.push(await startScriptedModelServer(model));
  tidyUps.push(() => Promise.all(servers.map((server) => server.kill())));
  return servers;
}

async function open(
  servers: readonly ScriptedModelServer[],
  pool: RemotePoolOptions = {},
): Promise<RemoteTensorBackend> {
  const backend = await createOpenInferenceBackend({
    servers: servers.map(({ url }) => url),
    model: "m",
    clock: createSystemClock(),
    pool: { coolDownMs: 50, maxCoolDownMs: 200, ...pool },
  });
  tidyUps.push(() => backend.close());
  return backend;
}

async function double(backend: RemoteTensorBackend, value: number): Promise<number> {
  const x: Tensor = { name: "x", datatype: "FP32", shape: [1], data: Float32Array.of(value) };
  const [y] = await backend.run([x], ["y"]);
  return Number(y?.data[0]);
}

/** Asks `count` times, eight at a time, and holds every answer against its question. */
async function askMany(backend: RemoteTensorBackend, count: number): Promise<void> {
  let next = 0;
  const ask = async () => {
    while (next < count) {
      const value = next++;
      expect(await double(backend, value)).toBe(2 * value);
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((go) => setTimeout(go, 25));
  expect(condition()).toBe(true);
}

test("no request fails when one of three servers is killed under load, and it is used again when it is back", async () => {
  const servers = await startServers(3);
  const backend = await open(servers);
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  const load = askMany(backend, 600);
  await new Promise((go) => setTimeout(go, 30));
  await first.kill();
  await load;
  await askMany(backend, 100);
  expect(backend.healthyServers).toBe(2);
  const again = await startScriptedModelServer(DOUBLER, first.port);
  tidyUps.push(() => again.kill());
  await waitUntil(() => backend.healthyServers === 3);
  await askMany(backend, 30);
  expect(again.questions).toBeGreaterThan(0);
});

test.each(["drain", "reset"] as const)("no request fails while a server does %s", async (what) => {
  const servers = await startServers(3);
  const backend = await open(servers);
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  first.behaviour = what;
  await askMany(backend, 300);
  expect(backend.healthyServers).toBe(2);
  first.behaviour = "answer";
  await waitUntil(() => backend.healthyServers === 3);
});

test("connections that servers close while they wait cost nobody an answer", async () => {
  const servers = await startServers(2);
  const backend = await open(servers);
  for (const server of servers) server.behaviour = "close behind";
  await askMany(backend, 300);
  expect(backend.healthyServers).toBe(2);
});

test("a slow server gets less to do, and one that hangs is left after its time", async () => {
  const servers = await startServers(3);
  const backend = await open(servers, { attemptTimeoutMs: 300 });
  const [slow, other] = servers;
  if (slow === undefined) throw new Error("no server");
  const before = slow.questions;
  slow.behaviour = "hang";
  await askMany(backend, 300);
  expect(slow.questions - before).toBeLessThan(20);
  expect(other?.questions).toBeGreaterThan(50);
});

test("a model that breaks on every server is the caller's to hear, at once and in the server's words", async () => {
  const servers = await startServers(2);
  const backend = await open(servers);
  for (const server of servers) server.behaviour = "break";
  const before = servers.reduce((sum, { questions }) => sum + questions, 0);
  for (let i = 0; i < 10; i++) {
    await expect(double(backend, 1)).rejects.toMatchObject({
      code: "model_failed",
      message: "The model broke.",
    });
  }
  expect(servers.reduce((sum, { questions }) => sum + questions, 0) - before).toBe(10);
  expect(backend.healthyServers).toBe(2);
});

test("when every server is gone, callers hear it at once and are told when to come back", async () => {
  const servers = await startServers(2);
  const backend = await open(servers, { coolDownMs: 5_000, maxCoolDownMs: 5_000 });
  for (const server of servers) await server.kill();
  for (let i = 0; i < 10; i++) await double(backend, 1).catch(() => {});
  expect(backend.healthyServers).toBe(0);
  const startedMs = performance.now();
  const refusal = await double(backend, 1).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "unavailable", retryAfterMs: expect.any(Number) });
  expect(performance.now() - startedMs).toBeLessThan(50);
  expect(await backend.isReady()).toBe(false);
});

test("a server without the binary extension is asked in JSON", async () => {
  const servers = await startServers(1, { ...DOUBLER, readsBinary: false });
  const backend = await open(servers);
  await askMany(backend, 20);
});

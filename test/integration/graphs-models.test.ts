import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataType } from "../../src/generated/tensorflow_pb.ts";
import { PredictionService } from "../../src/generated/tensorflow_serving_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import {
  createModelFolder,
  writeRandomClassifier,
  writeSlowModel,
} from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

// Graphs of models that are slow, that are not loaded yet, and that answer over other ways than those of graphs.test.ts.

const SLOW = { model: "slow", version: "1.0.0" };
const LAST = { model: "last", version: "1.0.0" };
const OTHER = { model: "other", version: "1.0.0" };
const ALWAYS = { confidenceAtLeast: 0 };
const GRAPHS = [
  { name: "long-way", sequence: [SLOW, { when: ALWAYS, ...LAST }] },
  { name: "chinese-first", switch: [{ when: { language: "zh" }, ...LAST }], otherwise: OTHER },
  { name: "pair", ensemble: [OTHER, LAST] },
  { name: "last-first", sequence: [LAST, { when: ALWAYS, ...OTHER }] },
];
const CHINESE = "这家店的服务很好，下次还会再来。";
const ENGLISH = "The food was wonderful.";

let models: ModelFolder;
let folder: string;
const servers: TestServer[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-graphs-"));
  models = await createModelFolder();
  await models.write({ model: "slow", bytes: writeSlowModel(80) });
  await models.write({ model: "last", bytes: writeRandomClassifier(2) });
  await models.write({ model: "other", bytes: writeRandomClassifier(3) });
});
afterAll(async () => {
  for (const server of servers) await server.drain();
  await models.remove();
  await rm(folder, { recursive: true, force: true });
});

async function start(flags: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "other",
    graphs: JSON.stringify(GRAPHS),
    "rateLimit.requests": "0",
    ...flags,
  });
  servers.push(server);
  return server;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
const readJson = async (response: Response): Promise<any> => await response.json();
const post = (server: TestServer, path: string, body: object, headers = {}) =>
  fetch(new URL(path, server.url), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** Texts that a model was asked so far, and answered or not. */
async function countAsked(server: TestServer, model: string): Promise<number> {
  const page = await (await fetch(new URL("/metrics", server.url))).text();
  const counters = /^ai_model_(answers|failures)_total\{/;
  const lines = page.split("\n").filter((line) => counters.test(line));
  const own = lines.filter((line) => line.includes(`model_version="${model}:1.0.0"`));
  return own.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

const stateOf = ({ inference }: TestServer, model: string) =>
  inference.pipeline.registry.stateOf(model, "1.0.0");

describe("a sequence whose first model is slow", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start({ "batching.maxQueueWaitMs": "600000", "cache.store.driver": "none" });
    // Both have run before what follows.
    await server.classify({ model: "long-way", text: "warm" });
  });
  const manyTexts = (word: string) => Array.from({ length: 200 }, (_, i) => `${word} ${i}`);

  test("a deadline that passes meanwhile is 504, and the next model is not asked", async () => {
    const before = await countAsked(server, "last");
    const body = { model: "long-way", texts: manyTexts("late") };
    const response = await post(server, "/classify", body, { "x-request-timeout-ms": "100" });
    const answer = await readJson(response);
    expect(response.status, JSON.stringify(answer).slice(0, 500)).toBe(504);
    expect(answer.error.code).toBe("deadline_exceeded");
    // What went on without the caller would have come to the next model by the time that another one does.
    await server.classify({ model: "long-way", text: "after the late ones" });
    expect(await countAsked(server, "last")).toBe(before + 1);
  });

  test("a client that goes away meanwhile frees its places, and the next model is not asked", async () => {
    const before = await countAsked(server, "last");
    const { batcher } = server.inference.pipeline.registry.resolve("slow", undefined);
    const controller = new AbortController();
    const leaving = fetch(new URL("/classify", server.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "long-way", texts: manyTexts("leaving") }),
      signal: controller.signal,
    }).catch(() => "gone");
    await expect.poll(() => batcher.outstandingItems, { interval: 5 }).toBeGreaterThan(100);
    controller.abort();
    expect(await leaving).toBe("gone");
    await expect.poll(() => batcher.outstandingItems, { timeout: 10_000 }).toBe(0);
    await server.classify({ model: "long-way", text: "another caller" });
    expect(await countAsked(server, "last")).toBe(before + 1);
  });
});

describe("a graph of models that are loaded on demand", () => {
  const lazily = { "models.loadOnDemand": '["last"]' };
  const byOf = ({ results }: { results: readonly { answered_by: unknown }[] }) =>
    results.map(({ answered_by }) => answered_by);

  test("loads a step's model when the first text comes to it, and that caller gets its answer", async () => {
    const server = await start(lazily);
    const texts = async (...asked: string[]) => {
      const response = await server.classify({ model: "chinese-first", texts: asked });
      const body = await readJson(response);
      expect(response.status, JSON.stringify(body)).toBe(200);
      return byOf(body);
    };
    expect(await texts(ENGLISH)).toEqual([[OTHER]]);
    expect(stateOf(server, "last")).toBe("discovered");
    expect(await texts(ENGLISH, CHINESE)).toEqual([[OTHER], [LAST]]);
    expect(stateOf(server, "last")).toBe("ready");
  });

  test("callers who come together while a member of an ensemble loads all have their answers", async () => {
    const server = await start(lazily);
    const answers = await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        const response = await server.classify({ model: "pair", texts: [`${ENGLISH} ${i}`] });
        return byOf(await readJson(response));
      }),
    );
    expect(answers).toEqual(answers.map(() => [[OTHER, LAST]]));
  });

  test("a protocol that asks for a kind of model has the model loaded that stands for the graph", async () => {
    const server = await start(lazily);
    const body = { model: "last-first", input: ENGLISH };
    const moderated = await post(server, "/v1/moderations", body);
    expect(moderated.status, await moderated.text()).toBe(200);
    expect(stateOf(server, "last")).toBe("ready");
  });

  test("a protocol of tensors says when to try again, and then answers, as for a model", async () => {
    const server = await start(lazily);
    const ask = () =>
      post(server, "/v2/models/last-first/infer", {
        inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: [ENGLISH] }],
      });
    const first = await ask();
    expect(first.status).toBe(503);
    expect(Number(first.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
    expect((await readJson(await ask())).model_name).toBe("last-first");
  });

  test("one that cannot be loaded fails the texts that need it, and no others", async () => {
    const broken = await createModelFolder();
    await broken.write({ model: "other", bytes: writeRandomClassifier(3) });
    await broken.write({ model: "slow", bytes: writeRandomClassifier(4) });
    await broken.write({ model: "last", bytes: Buffer.from("no model") });
    const server = await start({ ...lazily, "models.directory": broken.path });
    const response = await server.classify({ model: "chinese-first", texts: [ENGLISH, CHINESE] });
    const { results } = await readJson(response);
    expect(results[0].answered_by).toEqual([OTHER]);
    expect(results[1].error.code).toBe("unavailable");
    await broken.remove();
  });
});

describe("a graph asked in other ways", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start({
      "grpc.listen": "on",
      "grpc.port": "0",
      "records.store.path": join(folder, "records.db"),
    });
  });

  test("by TensorFlow Serving's Predict over gRPC it has the scores that it has by /classify", async () => {
    const body = { model: "pair", text: ENGLISH, top_k: 0 };
    const { predictions } = await readJson(await server.classify(body));
    const client = new GrpcClient(server.grpcAddress ?? "");
    const answer = await client.call(PredictionService.method.predict, {
      modelSpec: { name: "pair" },
      inputs: {
        text: {
          dtype: DataType.DT_STRING,
          tensorShape: { dim: [{ size: 1n }] },
          stringVal: [Buffer.from(ENGLISH)],
        },
      },
    });
    client.close();
    expect(answer.modelSpec?.name).toBe("pair");
    const labels = answer.outputs["labels"]?.stringVal ?? [];
    const scores = answer.outputs["scores"]?.floatVal ?? [];
    expect(labels).toHaveLength(2);
    for (const [index, label] of labels.entries()) {
      const own = predictions.find(
        (one: { label: string }) => one.label === Buffer.from(label).toString(),
      );
      expect(scores[index]).toBeCloseTo(own.confidence, 5);
    }
  });

  test("by a job, the results as CSV say who answered each row", async () => {
    const rows = [ENGLISH, CHINESE];
    const created = await post(server, "/v1/jobs", { model: "chinese-first", rows });
    expect(created.status, await created.clone().text()).toBe(201);
    const { id } = await readJson(created);
    const at = (path: string) => new URL(`/v1/jobs/${id}${path}`, server.url);
    const find = async () => (await readJson(await fetch(at("")))).state;
    await expect.poll(find, { timeout: 20_000 }).toBe("completed");
    const text = await (await fetch(at("/results?format=csv"))).text();
    const parsed = parse(text, { columns: true });
    expect(parsed).toMatchObject([
      { answered_by: "other 1.0.0", model_version: "1.0.0" },
      { answered_by: "last 1.0.0", model_version: "1.0.0" },
    ]);
  });
});

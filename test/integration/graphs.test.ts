import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GRPCInferenceService } from "../../src/generated/open_inference_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;
const FIRST = { model: "text-classification", version: "1.0.0" };
const SECOND = { model: "text-classification", version: "2.0.0" };
const GOOD = "The food was wonderful and the staff were friendly.";
const BAD = "Awful. It broke after a day and nobody answered.";
const CHINESE = "这家店的服务很好，下次还会再来。";
/** The first version is sure of neither. */
const UNSURE = "It is a phone.";

const GRAPHS = [
  { name: "by-language", switch: [{ when: { language: "zh" }, ...FIRST }], otherwise: SECOND },
  { name: "careful", sequence: [FIRST, { when: { confidenceBelow: 0.8 }, ...SECOND }] },
  {
    name: "both",
    ensemble: [
      { ...FIRST, weight: 1 },
      { ...SECOND, weight: 2 },
    ],
  },
  { name: "votes", combine: "vote", ensemble: [FIRST, { ...SECOND, weight: 3 }] },
  {
    name: "appeal",
    on: FIRST,
    switch: [{ when: { label: "negative" }, model: "both" }],
    otherwise: { model: "careful" },
  },
];

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-graphs-"));
  server = await startTestServer({
    graphs: JSON.stringify(GRAPHS),
    "models.directory": MODELS,
    "records.store.driver": "sqlite",
    "records.store.path": join(folder, "records.db"),
    "rateLimit.requests": "0",
  });
});
afterAll(async () => {
  await server.drain();
  await rm(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
const readJson = async (response: Response): Promise<any> => await response.json();
const post = (path: string, body: object) =>
  fetch(new URL(path, server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const ask = async (body: object) => await readJson(await server.classify(body));

/** The scores that a model or graph gives both labels. */
async function scoresOf(
  text: string,
  { model, version }: { model: string; version?: string },
): Promise<Record<string, number>> {
  const named = version === undefined ? {} : { model_version: version };
  const { predictions } = await ask({ text, model, top_k: 0, ...named });
  return Object.fromEntries(
    predictions.map((one: { label: string; confidence: number }) => [one.label, one.confidence]),
  );
}

describe("a switch", () => {
  test("sends each text of a batch its own way, and says who answered", async () => {
    const body = await ask({ model: "by-language", texts: [GOOD, CHINESE, BAD] });
    expect(body.model).toBe("by-language");
    const by = body.results.map((one: { answered_by: unknown }) => one.answered_by);
    expect(by).toEqual([[SECOND], [FIRST], [SECOND]]);
    const labels = body.results.map(
      (one: { predictions: { label: string }[] }) => one.predictions[0]?.label,
    );
    expect(labels).toEqual(["positive", "positive", "negative"]);
  });

  test("decides by a classifier's answer, and its cases may be graphs", async () => {
    const body = await ask({ model: "appeal", texts: [GOOD, BAD] });
    const by = body.results.map((one: { answered_by: unknown }) => one.answered_by);
    expect(by).toEqual([[FIRST], [FIRST, SECOND]]);
  });
});

describe("a sequence", () => {
  test("asks the second model only about texts of which the first is not sure", async () => {
    const [sure] = Object.values(await scoresOf(GOOD, FIRST));
    const [unsure] = Object.values(await scoresOf(UNSURE, FIRST));
    expect(sure).toBeGreaterThanOrEqual(0.8);
    expect(unsure).toBeLessThan(0.8);
    const body = await ask({ model: "careful", texts: [GOOD, UNSURE] });
    const by = body.results.map((one: { answered_by: unknown }) => one.answered_by);
    expect(by).toEqual([[FIRST], [SECOND]]);
    expect(await scoresOf(UNSURE, { model: "careful" })).toEqual(await scoresOf(UNSURE, SECOND));
  });

  test("decides by the model's own confidence, whatever the caller wants to see", async () => {
    const body = await ask({ model: "careful", text: UNSURE, function_to_apply: "none" });
    expect(body.answered_by).toEqual([SECOND]);
  });
});

describe("an ensemble", () => {
  test("gives the weighted mean of its members' scores", async () => {
    for (const text of [GOOD, BAD, CHINESE, UNSURE]) {
      const [one, two, both] = await Promise.all([
        scoresOf(text, FIRST),
        scoresOf(text, SECOND),
        scoresOf(text, { model: "both" }),
      ]);
      for (const label of ["positive", "negative"]) {
        const mean = ((one[label] ?? 0) + 2 * (two[label] ?? 0)) / 3;
        expect(both[label]).toBeCloseTo(mean, 5);
      }
    }
  });

  test("counts votes by weight", async () => {
    const two = await scoresOf(UNSURE, SECOND);
    const votes = await scoresOf(UNSURE, { model: "votes" });
    const [best] = Object.entries(two).sort((a, b) => b[1] - a[1]);
    expect(votes[best?.[0] ?? ""]).toBeGreaterThanOrEqual(0.75);
    expect(Object.values(votes).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
  });
});

describe("every graph", () => {
  test("shows its steps in Server-Timing", async () => {
    const response = await server.classify({ model: "both", text: `${GOOD} Steps.` });
    const timing = response.headers.get("server-timing") ?? "";
    expect(timing).toMatch(/step\d;desc="text-classification 1\.0\.0";dur=[\d.]+/);
    expect(timing).toMatch(/step\d;desc="text-classification 2\.0\.0";dur=[\d.]+/);
  });

  test("is answered from the cache the second time", async () => {
    const inputs = [`${GOOD} Twice.`, `${BAD} Twice.`];
    const first = await readJson(await post("/v1/predictions", { model: "both", inputs }));
    const again = await readJson(await post("/v1/predictions", { model: "both", inputs }));
    const sources = (body: { outputs: { source: string }[] }) =>
      body.outputs.map(({ source }) => source);
    expect(sources(first)).toEqual(["model", "model"]);
    expect(sources(again)).toEqual(["cache", "cache"]);
  });

  test("fails a text alone", async () => {
    for (const { name } of GRAPHS) {
      const { results } = await ask({ model: name, texts: [GOOD, " \u200b ", BAD] });
      expect(results[0].predictions[0].label).toBe("positive");
      expect(results[1].error.code).toBe("invalid_argument");
      expect(results[2].predictions[0].label).toBe("negative");
    }
  });

  test("refuses a version and a text alone that cannot be read", async () => {
    const versioned = await server.classify({ model: "both", model_version: "1.0.0", text: GOOD });
    expect(versioned.status).toBe(400);
    expect((await readJson(versioned)).error.details[0].field).toBe("model_version");
    const empty = await server.classify({ model: "careful", text: " \u200b " });
    expect(empty.status).toBe(400);
  });

  test("is listed with its steps by GET /models", async () => {
    const { graphs } = await readJson(await fetch(new URL("/models", server.url)));
    expect(graphs.map(({ model }: { model: string }) => model)).toEqual(
      GRAPHS.map(({ name }) => name),
    );
    expect(graphs[0]).toMatchObject({
      kind: "switch",
      steps: [
        { at: "switch[0]", when: { language: "zh" }, ...FIRST },
        { at: "otherwise", ...SECOND },
      ],
    });
  });

  test("streams each answer with its index", async () => {
    const response = await fetch(new URL("/v1/predictions", server.url), {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/x-ndjson" },
      body: JSON.stringify({ model: "by-language", inputs: [GOOD, CHINESE, " \u200b "] }),
    });
    const lines = (await response.text()).trimEnd().split("\n");
    const parts = lines.map((line) => JSON.parse(line));
    expect(parts.at(-1)).toMatchObject({ done: true, answered: 2, failed: 1 });
    const byIndex = new Map(parts.map((part) => [part.index, part]));
    expect(byIndex.get(0).answered_by).toEqual([SECOND]);
    expect(byIndex.get(1).answered_by).toEqual([FIRST]);
    expect(byIndex.get(2).error.code).toBe("invalid_argument");
  });

  test("is a model to other protocols", async () => {
    const tensors = await post("/v2/models/both/infer", {
      inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: [GOOD] }],
    });
    expect(tensors.status, await tensors.clone().text()).toBe(200);
    expect((await readJson(tensors)).model_name).toBe("both");
    expect((await fetch(new URL("/v2/models/both/ready", server.url))).status).toBe(200);
    const predicted = await post("/v1/models/both:predict", { instances: [GOOD] });
    expect(predicted.status, await predicted.clone().text()).toBe(200);
    const moderated = await post("/v1/moderations", { model: "careful", input: GOOD });
    expect(moderated.status, await moderated.clone().text()).toBe(200);
  });

  test("answers the rows of a job", async () => {
    const texts = [GOOD, CHINESE, BAD];
    const created = await post("/v1/jobs", { model: "by-language", rows: texts });
    expect(created.status, await created.clone().text()).toBe(201);
    const { id } = await readJson(created);
    const at = new URL(`/v1/jobs/${id}`, server.url);
    const stateOf = async () => (await readJson(await fetch(at))).state;
    await expect.poll(stateOf, { timeout: 20_000 }).toBe("completed");
    const results = await (await fetch(new URL(`/v1/jobs/${id}/results`, server.url))).text();
    const rows = results
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.map(({ answered_by }) => answered_by)).toEqual([[SECOND], [FIRST], [SECOND]]);
    expect(rows.map(({ predictions }) => predictions[0].label)).toEqual([
      "positive",
      "positive",
      "negative",
    ]);
  });
});

describe("a graph asked from afar", () => {
  test("is a model over gRPC, with the version that answered", async () => {
    const remote = await startTestServer({
      graphs: JSON.stringify(GRAPHS),
      "models.directory": MODELS,
      "grpc.listen": "on",
      "grpc.port": "0",
    });
    const client = new GrpcClient(remote.grpcAddress ?? "");
    const { modelInfer } = GRPCInferenceService.method;
    const contents = { bytesContents: [GOOD, CHINESE].map((text) => Buffer.from(text)) };
    const input = { name: "text", datatype: "BYTES", shape: [2n], contents };
    const answer = await client.call(modelInfer, { modelName: "careful", inputs: [input] });
    const labels = answer.outputs.find(({ name }) => name === "label")?.contents?.bytesContents;
    expect(labels?.map((label) => Buffer.from(label).toString())).toEqual(["positive", "positive"]);
    const named = { modelName: "careful", modelVersion: "1.0.0", inputs: [input] };
    await expect(client.call(modelInfer, named)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining("has no versions"),
    });
    client.close();
    await remote.drain();
  });

  test("goes its ways on a gateway whose models are an engine's, with the same scores", async () => {
    const shared = { "models.directory": MODELS, "engine.refreshMs": "100" };
    const engine = await startTestServer({ ...shared, role: "engine", "engine.port": "0" });
    const gateway = await startTestServer({
      ...shared,
      role: "gateway",
      "engine.urls": JSON.stringify([engine.url]),
      graphs: JSON.stringify(GRAPHS),
    });
    for (const model of GRAPHS.map(({ name }) => name)) {
      const body = { model, texts: [GOOD, BAD, CHINESE, UNSURE], top_k: 0 };
      const here = await ask(body);
      const there = await readJson(await gateway.classify(body));
      // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
      const toScores = ({ results }: any) =>
        // biome-ignore lint/suspicious/noExplicitAny: as above
        results.map(({ answered_by, predictions }: any) => ({
          answered_by,
          // biome-ignore lint/suspicious/noExplicitAny: as above
          predictions: predictions.map(({ label, confidence }: any) => ({
            label,
            confidence: expect.closeTo(confidence, 5),
          })),
        }));
      expect(there.results).toMatchObject(toScores(here));
    }
    await gateway.drain();
    await engine.drain();
  });
});

describe("mistakes that only the models can tell", () => {
  const startWith = (graphs: readonly object[]) =>
    startTestServer({
      graphs: JSON.stringify(graphs),
      "models.directory": MODELS,
      "jobs.enabled": "off",
    });

  test("keep the server from starting, all of them named with their settings", async () => {
    const starting = startWith([
      { name: "a", sequence: [FIRST, { when: { label: "angry" }, model: "missing" }] },
      { name: "b", ensemble: [FIRST, { ...SECOND, version: "9.0.0" }] },
    ]);
    await expect(starting).rejects.toThrow(/3 mistakes/);
    const message = await starting.catch((error: Error) => error.message);
    for (const line of [
      'graphs[0].sequence[1].model (held against the loaded models): expected one of text-classification, text-embedding, b, found "missing".',
      'graphs[0].sequence[1].when.label (held against the loaded models): expected one of negative, positive, found "angry".',
      "graphs[1].ensemble[1].version (held against the loaded models): expected one of 1.0.0, 2.0.0, found 9.0.0.",
    ]) {
      expect(message).toContain(line);
    }
  });

  test("a graph may not have the name of a model", async () => {
    const starting = startWith([{ name: "text-classification", sequence: [{ model: "missing" }] }]);
    await expect(starting).rejects.toThrow(/graphs\[0\]\.name .*which is a model/);
  });
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import {
  computeExpected,
  writeEchoModel,
  writeImageModel,
  writeSlowTensorModel,
  writeTensorModel,
} from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

interface WireTensor {
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

interface Answer {
  readonly outputs: Readonly<Record<string, WireTensor>>;
  readonly model: string;
  readonly model_version: string;
  readonly request_id: string;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details: readonly { readonly field: string; readonly problem: string }[];
  };
}

function describeTensorModel(name: string, bytes: Uint8Array, changes: object = {}) {
  return {
    schema: "sluice.model/v1",
    name,
    version: "1.0.0",
    task: "tensor",
    model: { path: "model.onnx", sha256: createHash("sha256").update(bytes).digest("hex") },
    description: "Made for a test.",
    license: "Apache-2.0",
    ...changes,
  };
}

const BYTES = writeTensorModel();
const SLOW = writeSlowTensorModel(100);

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("plain", { "model.onnx": BYTES });
  await models.writeFiles("joined/1.0.0", {
    "model.onnx": BYTES,
    "manifest.json": describeTensorModel("joined", BYTES, { maxJoinedRows: 16 }),
  });
  await models.writeFiles("echo/2.1.0", { "model.onnx": writeEchoModel() });
  await models.writeFiles("image/1.0.0", { "image.onnx": writeImageModel() });
  await models.writeFiles("image-joined/1.0.0", {
    "model.onnx": writeImageModel(),
    "manifest.json": describeTensorModel("image-joined", writeImageModel(), { maxJoinedRows: 4 }),
  });
  await models.writeFiles("slow/1.0.0", {
    "model.onnx": SLOW,
    "manifest.json": describeTensorModel("slow", SLOW),
  });
  await models.writeFiles("no-graph", { "model.onnx": "This is no graph." });
  server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "plain",
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    "inference.workers": "1",
    "batching.max-queue-items": "2",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${server.url}/v1/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

async function ask(body: unknown): Promise<{ status: number; answer: Answer }> {
  const response = await post(body);
  return { status: response.status, answer: (await response.json()) as Answer };
}

async function outputsOf(body: unknown): Promise<Readonly<Record<string, WireTensor>>> {
  const { status, answer } = await ask(body);
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer.outputs;
}

const X = [1, 2, 3, 4];
const ROW = { x: [X], k: [1] };

test("every package is listed with its task and signature, and a wrong one with its reason", async () => {
  const response = await fetch(`${server.url}/models`);
  const { models: listed } = (await response.json()) as { models: Record<string, unknown>[] };
  expect(listed.map(({ model, version, state }) => `${model} ${version} ${state}`)).toEqual([
    "echo 2.1.0 ready",
    "image 1.0.0 ready",
    "image-joined 1.0.0 failed",
    "joined 1.0.0 ready",
    "no-graph 1.0.0 failed",
    "plain 1.0.0 ready",
    "reviews 1.0.0 ready",
    "slow 1.0.0 ready",
  ]);
  const find = (name: string) => listed.find(({ model }) => model === name);
  expect(find("plain")).toMatchObject({
    task: "tensor",
    is_default: true,
    inputs: [
      { name: "x", datatype: "FP32", shape: [-1, 4] },
      { name: "k", datatype: "INT64", shape: [-1] },
    ],
    outputs: [
      { name: "y", datatype: "FP32", shape: [-1, 4] },
      { name: "next", datatype: "INT64", shape: [-1] },
      { name: "entry", datatype: "FP32", shape: [-1] },
    ],
    backend: expect.stringMatching(/^onnxruntime, 1 worker × 1 thread, from .* a run/),
  });
  expect(find("reviews")).toMatchObject({ task: "classification" });
  expect(find("reviews")).not.toHaveProperty("inputs");
  expect(find("no-graph")?.["reason"]).toContain("ONNX Runtime refused the model file");
  expect(find("image-joined")?.["reason"]).toContain("maxJoinedRows does not fit the graph");
});

describe("a tensor model", () => {
  test("answers all its outputs by name, flat, with shape and datatype", async () => {
    const x = { shape: [2, 4], datatype: "FP32", data: [...X, 5, 6, 7, 8] };
    const k = { shape: [2], datatype: "INT64", data: [1, "2"] };
    const { status, answer } = await ask({ model: "plain", inputs: { x, k } });
    expect(status).toBe(200);
    const rows = [computeExpected(X, 1n), computeExpected([5, 6, 7, 8], 2n)];
    expect(answer).toEqual({
      outputs: {
        y: { shape: [2, 4], datatype: "FP32", data: rows.flatMap(({ y }) => y) },
        next: { shape: [2], datatype: "INT64", data: [2, 4] },
        entry: { shape: [2], datatype: "FP32", data: [20, 30] },
      },
      processing_time_ms: expect.any(Number),
      model: "plain",
      model_version: "1.0.0",
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: expect.any(String),
    });
  });

  test("reads flat and nested data alike, and takes from the model what is not said", async () => {
    const expected = await outputsOf({ inputs: ROW });
    const forms = [
      { x: { shape: [1, 4], data: X }, k: { data: [1] } },
      { x: { shape: [1, 4], datatype: "FP32", data: [X] }, k: [1] },
      { k: ["1"], x: { data: [X] } },
    ];
    for (const inputs of forms) expect(await outputsOf({ inputs })).toEqual(expected);
  });

  test("gives the outputs that are asked for, in that order, from the version that is", async () => {
    const body = { inputs: ROW, outputs: ["entry", "y"], model_version: "1.0.0", lane: "bulk" };
    expect(Object.keys(await outputsOf(body))).toEqual(["entry", "y"]);
  });

  test("says in Server-Timing how long the run took, and counts as a prediction", async () => {
    const response = await post({ inputs: ROW });
    expect(response.headers.get("server-timing")).toMatch(/cache;desc=none;.*infer;dur=\d/);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const count =
      /ai_model_predictions_total\{model_version="plain:1\.0\.0",prediction_label="tensors"\} (\d+)/;
    expect(Number(count.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(metrics).toContain('ai_model_loaded{model_version="plain:1.0.0"} 1');
  });

  test("carries texts, truth, half floats, 64 bits and what is no number", async () => {
    const inputs = {
      text: ["a", '坏 "é"'],
      flag: [true, 0],
      half: [0.5, null],
      whole: ["-9223372036854775808", 7],
      real: [null, 1e-3],
    };
    const response = await post({ model: "echo", inputs });
    const body = await response.text();
    // All digits are there, whatever a parser makes of them.
    expect(body).toContain("[-9223372036854775808,7]");
    const { outputs } = JSON.parse(body) as Answer;
    expect(outputs).toMatchObject({
      text_out: { datatype: "BYTES", data: inputs.text },
      flag_out: { datatype: "BOOL", data: [true, false] },
      half_out: { datatype: "FP16", data: [0.5, null] },
      real_out: { datatype: "FP32", data: [null, Math.fround(1e-3)] },
    });
  });

  test("with open inner sizes answers images of any size", async () => {
    const image = [
      [
        [
          [1, 1, 1],
          [1, 1, 1],
          [1, 1, 2],
        ],
      ],
    ];
    const { sums } = await outputsOf({ model: "image", inputs: { image } });
    expect(sums).toEqual({ shape: [1, 1, 1, 1], datatype: "FP32", data: [10] });
  });
});

test.each<[string, unknown, string, RegExp]>([
  ["a missing input", { x: [X] }, "inputs.k", /is missing: INT64 \[\?\]/],
  ["an unknown input", { ...ROW, z: 1 }, "inputs.z", /no input of this model; it has x, k/],
  ["nothing at all", {}, "inputs.x", /is missing/],
  [
    "another datatype",
    { ...ROW, k: { datatype: "INT32", data: [1] } },
    "inputs.k",
    /must be INT64/,
  ],
  [
    "an unknown datatype",
    { ...ROW, k: { datatype: "int", data: [1] } },
    "inputs.k.datatype",
    /one of/,
  ],
  ["another size", { ...ROW, x: [[1, 2, 3]] }, "inputs.x", /shape \[\?, 4\]; found \[1, 3\]/],
  ["another rank", { ...ROW, x: X }, "inputs.x", /shape \[\?, 4\]; found \[4\]/],
  [
    "uneven lists",
    { ...ROW, x: [X, [1]] },
    "inputs.x[1]",
    /must be a list of 4; found a list of 1/,
  ],
  ["too few elements", { ...ROW, x: { shape: [1, 4], data: [1] } }, "inputs.x.data", /4 elements/],
  ["a wrong element", { ...ROW, x: [X, [1, "2", 3, 4]] }, "inputs.x[1][1]", /must be a number/],
  ["a fraction for a whole number", { ...ROW, k: [1.5] }, "inputs.k[0]", /whole number of 64 bits/],
  ["no data", { ...ROW, k: { shape: [1] } }, "inputs.k.data", /must be a list of 1; found nothing/],
  ["a strange field", { ...ROW, k: { data: [1], dims: 1 } }, "inputs.k.dims", /is not a field/],
  ["a wrong shape", { ...ROW, k: { shape: [-1], data: [1] } }, "inputs.k.shape", /whole numbers/],
  ["a huge shape", { ...ROW, k: { shape: [2 ** 40], data: [1] } }, "inputs.k.data", /too large/],
  ["a huge product", { ...ROW, x: { shape: [1e9, 4], data: X } }, "inputs.x.data", /too large/],
])("%s is refused with the field and the way out", async (_name, inputs, field, problem) => {
  const { status, answer } = await ask({ inputs });
  expect([status, answer.error.code]).toEqual([400, "invalid_argument"]);
  expect(answer.error.details).toContainEqual({ field, problem: expect.stringMatching(problem) });
  expect(answer.error.message).toContain(answer.error.details[0]?.field);
});

test.each<[string, object, string]>([
  ["an unknown output", { outputs: ["y", "z"] }, "outputs[1]"],
  ["an output twice", { outputs: ["y", "y"] }, "outputs[1]"],
  ["no outputs", { outputs: [] }, "outputs"],
  ["options for texts", { top_k: 1 }, "top_k"],
])("%s is refused", async (_name, changes, field) => {
  const { status, answer } = await ask({ inputs: ROW, ...changes });
  expect(status).toBe(400);
  expect(answer.error.details[0]?.field).toBe(field);
});

describe("the wrong kind of question", () => {
  test("texts for a tensor model are refused with the way to ask it", async () => {
    for (const response of [
      await post({ inputs: ["hello"], model: "plain" }),
      await server.classify({ text: "hello", model: "plain" }),
    ]) {
      expect(response.status).toBe(400);
      const { error } = (await response.json()) as Answer;
      expect(error.message).toContain("plain 1.0.0 reads tensors, not texts");
    }
  });

  test("tensors for a model of texts are refused with the way to ask it", async () => {
    const { status, answer } = await ask({ inputs: ROW, model: "reviews" });
    expect(status).toBe(400);
    expect(answer.error.message).toContain("reviews 1.0.0 reads texts, not tensors");
  });

  test("an unknown model or version is 404, one that failed 503", async () => {
    expect((await ask({ inputs: ROW, model: "nope" })).status).toBe(404);
    expect((await ask({ inputs: ROW, model_version: "9.9.9" })).status).toBe(404);
    expect((await ask({ inputs: ROW, model: "no-graph", model_version: "1.0.0" })).status).toBe(
      503,
    );
  });
});

describe("requests side by side", () => {
  test("a run that fails is 502 for its own request, and the others are answered", async () => {
    for (const model of ["plain", "joined"]) {
      const expected = await outputsOf({ model, inputs: ROW });
      const bodies = [ROW, { x: [X], k: [99] }];
      const answers = await Promise.all(bodies.map((inputs) => ask({ model, inputs })));
      expect(answers.map(({ status }) => status)).toEqual([200, 502]);
      expect(answers[1]?.answer.error.code).toBe("model_failed");
      expect(answers[0]?.answer.outputs).toEqual(expected);
    }
    expect((await server.classify({ text: "fine", model: "reviews" })).status).toBe(200);
  });

  test("more than may wait is refused with 429 and Retry-After, and what was accepted is answered", async () => {
    const row = Array.from({ length: 256 }, (_, i) => i / 256);
    const requests = Array.from({ length: 12 }, () =>
      post({ model: "slow", inputs: { x: [[row]] } }),
    );
    const responses = await Promise.all(requests);
    const refused = responses.filter(({ status }) => status === 429);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 429]));
    for (const response of refused) {
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(await response.json()).toMatchObject({ error: { code: "overloaded" } });
    }
  });

  test("a deadline that passes is 504", async () => {
    const inputs = { x: Array.from({ length: 20 }, () => [new Array(256).fill(0.5)]) };
    const response = await post({ model: "slow", inputs }, { "x-request-timeout-ms": "1" });
    expect(response.status).toBe(504);
  });
});

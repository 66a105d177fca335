import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import { encodeInferRequest } from "../../src/protocols/open-inference/encode-infer-request.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { writeSlowTensorModel, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const SLOW = writeSlowTensorModel(100);

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("slow/1.0.0", {
    "model.onnx": SLOW,
    "manifest.json": {
      schema: "sluice.model/v1",
      name: "slow",
      version: "1.0.0",
      task: "tensor",
      model: { path: "model.onnx", sha256: createHash("sha256").update(SLOW).digest("hex") },
      description: "Made for a test.",
      license: "Apache-2.0",
    },
  });
  await models.writeFiles("no-graph/1.0.0", { "model.onnx": "This is no graph." });
  server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "reviews",
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    "inference.workers": "1",
    "server.max-tensor-body-bytes": "200000",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

const X: Tensor = {
  name: "x",
  datatype: "FP32",
  shape: [2, 4],
  data: Float32Array.of(1, 2, 3, 4, -1, 0.5, 0, 8),
};
const K: Tensor = { name: "k", datatype: "INT64", shape: [2], data: BigInt64Array.of(2n, 0n) };
const TEXTS: Tensor = {
  name: "text",
  datatype: "BYTES",
  shape: [2],
  data: ["A good film.", "A bad one."],
};

function get(path: string): Promise<Response> {
  return fetch(`${server.url}${path}`);
}

function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    headers,
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

async function expectError(response: Response, status: number, message: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json");
  const body = (await response.json()) as { error: string };
  expect(Object.keys(body)).toEqual(["error"]);
  expect(body.error).toContain(message);
}

const path = "/v2/models/numbers/infer";

test.each<[string, () => Promise<Response>, number, string]>([
  ["an unknown model", () => post("/v2/models/none/infer", {}), 404, 'There is no model "none".'],
  [
    "an unknown version",
    () => post("/v2/models/numbers/versions/9/infer", {}),
    404,
    'There is no version "9"',
  ],
  ["a model that failed to load", () => post("/v2/models/no-graph/infer", {}), 503, "no-graph"],
  ["an empty body", () => post(path, ""), 400, "body is empty"],
  ["broken JSON", () => post(path, "{"), 400, "body is not valid JSON"],
  ["a missing input", () => post(path, { inputs: [] }), 400, "inputs.x is missing: FP32 [?, 4]"],
  [
    "a wrong shape",
    () =>
      post(path, {
        inputs: [
          { ...X, shape: [4, 2], data: Array.from({ length: 8 }, () => 1) },
          { ...K, data: [1, 1] },
        ],
      }),
    400,
    "inputs.x must have the shape [?, 4]; found [4, 2]",
  ],
  [
    "an unknown output",
    () => post("/v2/models/reviews/infer", { inputs: [TEXTS], outputs: [{ name: "w" }] }),
    400,
    "outputs[0] is no output of this model",
  ],
  [
    "an input that the model cannot compute",
    () =>
      post(path, {
        inputs: [
          { ...X, shape: [1, 4], data: [1, 2, 3, 4] },
          { ...K, shape: [1], data: [7] },
        ],
      }),
    502,
    "",
  ],
  [
    "a body that is too long",
    () => post(path, new Uint8Array(200_001)),
    413,
    "The body is larger than this server accepts.",
  ],
  [
    "a bomb",
    () => post(path, gzipSync(new Uint8Array(10_000_000)), { "content-encoding": "gzip" }),
    413,
    "once it is decompressed",
  ],
  [
    "an encoding that nobody knows",
    () => post(path, "{}", { "content-encoding": "br" }),
    415,
    "Content-Encoding knows gzip and deflate",
  ],
  ["a wrong verb", () => get(path), 405, "This address answers POST only."],
  [
    "a wrong verb the other way",
    () => post("/v2/models/numbers", {}),
    405,
    "This address answers GET",
  ],
  ["an unknown address", () => get("/v2/nothing/here"), 404, "There is nothing at this address"],
  [
    "shared memory",
    () => get("/v2/systemsharedmemory/status"),
    404,
    "There is nothing at this address",
  ],
  [
    "loading",
    () => post("/v2/repository/models/numbers/load", {}),
    403,
    "the setting models.control decides that",
  ],
  [
    "unloading",
    () => post("/v2/repository/models/numbers/unload", {}),
    403,
    "the setting models.control decides that",
  ],
  [
    "loading with a configuration",
    () => post("/v2/repository/models/numbers/load", { parameters: { config: "{}" } }),
    400,
    "parameters.config is not supported",
  ],
  [
    "a timeout that has passed",
    () =>
      post("/v2/models/slow/infer", {
        inputs: [
          {
            name: "x",
            datatype: "FP32",
            shape: [1, 1, 256],
            data: Array.from({ length: 256 }, () => 1),
          },
        ],
        parameters: { timeout: 1 },
      }),
    504,
    "",
  ],
])("%s is answered in the words of the protocol", async (_name, ask, status, message) => {
  await expectError(await ask(), status, message);
});

test("no body, however broken, gets another answer than 200 or 400", async () => {
  const { chunks, headerLength = 0 } = encodeInferRequest({ inputs: [X, K] }, true);
  const whole = Buffer.concat(chunks);
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 200; round++) {
    const body = Buffer.from(whole.subarray(0, whole.byteLength - random(20)));
    for (let change = random(4); change > 0; change--) body[random(body.byteLength)] = random(256);
    const length = round % 4 === 0 ? random(whole.byteLength + 20) : headerLength;
    const response = await post(path, body, { "inference-header-content-length": `${length}` });
    await response.arrayBuffer();
    // A `k` that the model cannot look up is the model's failure.
    expect([200, 400, 502]).toContain(response.status);
  }
});

import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import { decodeInferResponse } from "../../src/protocols/open-inference/decode-infer-response.ts";
import { decodeMetadata } from "../../src/protocols/open-inference/decode-metadata.ts";
import type { InferRequest } from "../../src/protocols/open-inference/encode-infer-request.ts";
import { encodeInferRequest } from "../../src/protocols/open-inference/encode-infer-request.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import {
  computeExpected,
  writeEchoModel,
  writeImageModel,
  writeTensorModel,
} from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

interface NativeItem {
  readonly predictions: readonly { readonly label: string; readonly confidence: number }[];
}

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("echo/2.1.0", { "model.onnx": writeEchoModel() });
  await models.writeFiles("image/1.0.0", { "image.onnx": writeImageModel() });
  await models.writeFiles("no-graph/1.0.0", { "model.onnx": "This is no graph." });
  server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "reviews",
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    "inference.workers": "1",
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

/** Asks with our own client. */
async function infer(model: string, request: InferRequest, isBinary: boolean) {
  const { chunks, headerLength } = encodeInferRequest(request, isBinary);
  const headers =
    headerLength === undefined ? {} : { "inference-header-content-length": `${headerLength}` };
  const path = `/v2/models/${model}/infer`;
  const response = await post(path, Buffer.concat(chunks), headers as Record<string, string>);
  const length = response.headers.get("inference-header-content-length") ?? undefined;
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(Buffer.from(body).toString());
  return decodeInferResponse(body, length);
}

async function expectError(response: Response, status: number, message: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json");
  const body = (await response.json()) as { error: string };
  expect(Object.keys(body)).toEqual(["error"]);
  expect(body.error).toContain(message);
}

describe("inference", () => {
  test.each([
    ["JSON", false],
    ["binary data", true],
  ])("a model of several inputs and outputs answers %s exactly", async (_name, isBinary) => {
    const answer = await infer("numbers", { id: "7", inputs: [K, X] }, isBinary);
    const rows = [computeExpected([1, 2, 3, 4], 2n), computeExpected([-1, 0.5, 0, 8], 0n)];
    expect(answer).toEqual({
      model: "numbers",
      version: "1.0.0",
      id: "7",
      outputs: [
        {
          name: "y",
          datatype: "FP32",
          shape: [2, 4],
          data: Float32Array.from(rows.flatMap(({ y }) => y)),
        },
        {
          name: "next",
          datatype: "INT64",
          shape: [2],
          data: BigInt64Array.from(rows.map(({ next }) => next)),
        },
        { name: "entry", datatype: "FP32", shape: [2], data: Float32Array.of(30, 10) },
      ],
    });
  });

  test("outputs come in the order asked for, of a version that is named", async () => {
    const inputs = [X, K];
    const { chunks } = encodeInferRequest({ inputs, outputs: ["next", "y"] }, false);
    const body = Buffer.concat(chunks);
    const response = await post("/v2/models/numbers/versions/1.0.0/infer", body);
    const { outputs } = (await response.json()) as { outputs: { name: string }[] };
    expect(outputs.map(({ name }) => name)).toEqual(["next", "y"]);
  });

  test.each([false, true])(
    "texts, truths, halves and whole numbers echo (binary: %s)",
    async (isBinary) => {
      const inputs: Tensor[] = [
        { name: "text", datatype: "BYTES", shape: [2], data: ["", "Grüße 🙂"] },
        { name: "flag", datatype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
        { name: "half", datatype: "FP16", shape: [2], data: Uint16Array.of(0x3c00, 0x8000) },
        {
          name: "whole",
          datatype: "INT64",
          shape: [2],
          data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)),
        },
        { name: "real", datatype: "FP32", shape: [2], data: Float32Array.of(0.1, -0) },
      ];
      const { outputs } = await infer("echo", { inputs }, isBinary);
      expect(outputs).toEqual(inputs.map((input) => ({ ...input, name: `${input.name}_out` })));
    },
  );

  test("an image of any size goes in raw where one size is open, and with a shape otherwise", async () => {
    const image: Tensor = {
      name: "image",
      datatype: "FP32",
      shape: [1, 1, 3, 4],
      data: new Float32Array(12).fill(1),
    };
    const { outputs } = await infer("image", { inputs: [image] }, true);
    expect(outputs[0]).toMatchObject({ shape: [1, 1, 1, 2], data: Float32Array.of(9, 9) });
    const raw = await post("/v2/models/image/infer", new Uint8Array(48), {
      "inference-header-content-length": "0",
    });
    await expectError(raw, 400, "may leave one size open beside the batch");
  });

  test("a NaN is refused in JSON, with the way out, and sent as binary data", async () => {
    const inputs: Tensor[] = [
      { ...X, datatype: "FP32", data: new Float32Array(8).fill(Number.NaN) },
      K,
    ];
    const outputs = [{ name: "y", parameters: { binary_data: false } }];
    const { chunks, headerLength } = encodeInferRequest({ inputs }, true);
    const json = JSON.parse(Buffer.concat(chunks).subarray(0, headerLength).toString());
    const header = Buffer.from(JSON.stringify({ ...json, outputs }));
    const body = Buffer.concat([header, Buffer.concat(chunks).subarray(headerLength)]);
    const response = await post("/v2/models/numbers/infer", body, {
      "inference-header-content-length": `${header.byteLength}`,
    });
    await expectError(response, 400, "outputs.y holds NaN or an infinity");
    const answer = await infer("numbers", { inputs }, true);
    expect((answer.outputs[0] as Tensor & { data: Float32Array }).data[0]).toBeNaN();
  });
});

describe("texts", () => {
  test("a model of texts answers as it does on its own route, under any name of its input", async () => {
    const inputs: Tensor[] = [{ ...TEXTS, datatype: "BYTES", name: "input-0", shape: [2, 1] }];
    const { outputs } = await infer("reviews", { inputs }, true);
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["label", [2]],
      ["score", [2]],
      ["probabilities", [2, 2]],
    ]);
    const native = await server.classify({ texts: TEXTS.data });
    const { results } = (await native.json()) as { results: NativeItem[] };
    expect(outputs[0]?.data).toEqual(results.map(({ predictions }) => predictions[0]?.label));
    for (const [row, { predictions }] of results.entries()) {
      expect(outputs[1]?.data[row]).toBeCloseTo(predictions[0]?.confidence ?? -1, 5);
    }
  });

  test("the best classes come as texts with value, index and label", async () => {
    const outputs = [{ name: "probabilities", parameters: { classification: 1 } }];
    const response = await post("/v2/models/reviews/infer", { inputs: [TEXTS], outputs });
    const answer = (await response.json()) as {
      outputs: { datatype: string; shape: number[]; data: string[] }[];
    };
    expect(answer.outputs[0]).toMatchObject({ datatype: "BYTES", shape: [2, 1] });
    for (const text of answer.outputs[0]?.data ?? [])
      expect(text).toMatch(/^[01]\.\d{6}:[01]:\w+$/);
  });

  test("a raw request is one text, and its answer is binary", async () => {
    const response = await post("/v2/models/reviews/infer", "A good film.", {
      "inference-header-content-length": "0",
    });
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    const length = response.headers.get("inference-header-content-length") ?? undefined;
    const answer = decodeInferResponse(new Uint8Array(await response.arrayBuffer()), length);
    expect(answer.outputs[0]?.shape).toEqual([1]);
  });

  test("what a model can be asked for beside its own outputs is answered by name", async () => {
    const { outputs } = await infer(
      "reviews",
      { inputs: [TEXTS], outputs: ["labels", "windows", "truncated", "error"] },
      true,
    );
    expect(outputs.map(({ datatype }) => datatype)).toEqual(["BYTES", "INT32", "BOOL", "BYTES"]);
  });

  test("work of low priority is answered too", async () => {
    const response = await post("/v2/models/reviews/infer", {
      inputs: [TEXTS],
      parameters: { priority: 2, timeout: 30_000_000 },
    });
    expect(response.status).toBe(200);
  });
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
] as const)(
  "%s is undone in requests and done in answers, and lengths are those without",
  async (encoding, compress) => {
    const rows = 100;
    const inputs: Tensor[] = [
      { name: "x", datatype: "FP32", shape: [rows, 4], data: new Float32Array(rows * 4).fill(1) },
      { name: "k", datatype: "INT64", shape: [rows], data: new BigInt64Array(rows) },
    ];
    const { chunks, headerLength } = encodeInferRequest({ inputs }, true);
    const response = await post("/v2/models/numbers/infer", compress(Buffer.concat(chunks)), {
      "content-encoding": encoding,
      "accept-encoding": encoding,
      "inference-header-content-length": `${headerLength}`,
    });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    const length = response.headers.get("inference-header-content-length") ?? undefined;
    const { outputs } = decodeInferResponse(new Uint8Array(await response.arrayBuffer()), length);
    expect(outputs[0]?.shape).toEqual([rows, 4]);
  },
);

describe("everything beside inference", () => {
  test("health has both words", async () => {
    for (const path of ["/v2/health/live", "/v2/health/ready"]) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ live: true, ready: true });
    }
  });

  test("a model is ready, is not, or is none", async () => {
    const ready = await get("/v2/models/numbers/ready");
    expect(await ready.json()).toEqual({ name: "numbers", ready: true });
    expect((await get("/v2/models/numbers/versions/1.0.0/ready")).status).toBe(200);
    const broken = await get("/v2/models/no-graph/ready");
    expect(broken.status).toBe(503);
    expect(await broken.json()).toEqual({ name: "no-graph", ready: false });
    await expectError(await get("/v2/models/none/ready"), 404, 'There is no model "none".');
  });

  test("the server says which extensions it speaks", async () => {
    const body = (await (await get("/v2")).json()) as { name: string; extensions: string[] };
    expect(body.name).toBe("sluice");
    expect(body.extensions).toContain("binary_tensor_data");
    expect((await get("/v2/")).status).toBe(200);
  });

  test("metadata is the signature by which a model can be asked", async () => {
    const response = await get("/v2/models/numbers");
    const metadata = decodeMetadata(new Uint8Array(await response.arrayBuffer()));
    expect(metadata).toEqual({
      name: "numbers",
      versions: ["1.0.0"],
      platform: "onnx_onnxv1",
      signature: {
        inputs: [
          { name: "x", datatype: "FP32", shape: [null, 4] },
          { name: "k", datatype: "INT64", shape: [null] },
        ],
        outputs: [
          { name: "y", datatype: "FP32", shape: [null, 4] },
          { name: "next", datatype: "INT64", shape: [null] },
          { name: "entry", datatype: "FP32", shape: [null] },
        ],
      },
      properties: expect.objectContaining({ task: "tensor" }),
    });
  });

  test("metadata of a model of texts carries its labels", async () => {
    const body = (await (await get("/v2/models/reviews")).json()) as {
      inputs: object[];
      properties: Record<string, string>;
    };
    expect(body.inputs).toEqual([{ name: "text", datatype: "BYTES", shape: [-1] }]);
    expect(body.properties["task"]).toBe("classification");
    expect(JSON.parse(body.properties["labels"] ?? "")).toHaveLength(2);
    const config = (await (await get("/v2/models/reviews/config")).json()) as object;
    expect(config).toMatchObject({
      name: "reviews",
      max_batch_size: 0,
      input: [{ name: "text", data_type: "TYPE_STRING", dims: [-1] }],
    });
  });

  test("statistics count what was asked", async () => {
    const read = async (path: string) => {
      const body = (await (await get(path)).json()) as {
        model_stats: { name: string; inference_count: number; execution_count: number }[];
      };
      return body.model_stats;
    };
    const [before] = await read("/v2/models/numbers/stats");
    await infer("numbers", { inputs: [X, K] }, true);
    const [after] = await read("/v2/models/numbers/versions/1.0.0/stats");
    expect(after?.inference_count).toBe((before?.inference_count ?? 0) + 1);
    expect(after?.execution_count).toBe((before?.execution_count ?? 0) + 1);
    const names = (await read("/v2/models/stats")).map(({ name }) => name);
    expect(names).toContain("reviews");
  });

  test("the repository lists every version with its state", async () => {
    const all = (await (await post("/v2/repository/index", "")).json()) as { name: string }[];
    expect(all.map(({ name }) => name)).toEqual([
      "echo",
      "image",
      "no-graph",
      "numbers",
      "reviews",
    ]);
    expect(all).toContainEqual({ name: "numbers", version: "1.0.0", state: "READY", reason: "" });
    const ready = (await (await post("/v2/repository/index", { ready: true })).json()) as object[];
    expect(ready).toHaveLength(4);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOpenInferenceBackend } from "../../src/backends/open-inference/create-open-inference-backend.ts";
import type { RemoteTensorBackend } from "../../src/backends/remote/remote-tensor-backend.ts";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { writeEchoModel, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";
import { describeTensorBackend } from "./tensor-backend.ts";

let models: ModelFolder;
const servers: TestServer[] = [];
const backends: RemoteTensorBackend[] = [];

beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("plain", { "model.onnx": writeTensorModel() });
  await models.writeFiles("echo/2.1.0", { "model.onnx": writeEchoModel() });
  for (let i = 0; i < 2; i++) {
    servers.push(
      await startTestServer({
        "models.directory": models.path,
        "models.defaultModel": "reviews",
        "rateLimit.requests": "0",
        "grpc.listen": "on",
        "grpc.port": "0",
      }),
    );
  }
});
afterAll(async () => {
  for (const backend of backends) await backend.close();
  for (const server of servers) await server.drain();
  await models.remove();
});

type Transport = "HTTP" | "gRPC";

function urlsOf(transport: Transport): readonly string[] {
  return servers.map(({ url, grpcAddress }) =>
    transport === "HTTP" ? url : `grpc://${grpcAddress}`,
  );
}

async function open(model: string, urls = urlsOf("HTTP")): Promise<RemoteTensorBackend> {
  const backend = await createOpenInferenceBackend({
    servers: urls,
    model,
    clock: createSystemClock(),
    maxInFlight: 3,
  });
  backends.push(backend);
  return backend;
}

function createQuestion(rows: number, k: number): readonly Tensor[] {
  const data = Float32Array.from({ length: 4 * rows }, (_, i) => i / 8 + rows);
  return [
    { name: "k", datatype: "INT64", shape: [rows], data: new BigInt64Array(rows).fill(BigInt(k)) },
    { name: "x", datatype: "FP32", shape: [rows, 4], data },
  ];
}

for (const transport of ["HTTP", "gRPC"] as const) {
  describeTensorBackend(`open inference over ${transport}, two servers`, async () => ({
    backend: await open("plain", urlsOf(transport)),
    questions: [1, 2, 3, 5].map((rows, index) => createQuestion(rows, index % 3)),
    badQuestion: createQuestion(2, 99),
  }));
}

describe.each<Transport>(["HTTP", "gRPC"])(
  "a model on other servers that speak Open Inference over %s",
  (transport) => {
    test("is described by its servers, and has been tried", async () => {
      const backend = await open("plain", urlsOf(transport));
      expect(backend.signature.inputs).toEqual([
        { name: "x", datatype: "FP32", shape: [null, 4] },
        { name: "k", datatype: "INT64", shape: [null] },
      ]);
      expect(backend.slots).toBe(6);
      expect(backend.parallelRuns).toBe(2);
      expect(backend.measuredRunMs).toBeGreaterThan(0);
      expect(await backend.isReady()).toBe(true);
      expect(await (await open("echo", urlsOf(transport))).listVersions()).toEqual(["2.1.0"]);
    });

    test.each<[string, Tensor]>([
      ["texts", { name: "text", datatype: "BYTES", shape: [2], data: ["a", "坏 é"] }],
      ["truth", { name: "flag", datatype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) }],
      [
        "half floats",
        { name: "half", datatype: "FP16", shape: [2], data: Uint16Array.of(15360, 1) },
      ],
      [
        "64 bits",
        { name: "whole", datatype: "INT64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 1n) },
      ],
      ["no number", { name: "real", datatype: "FP32", shape: [1], data: Float32Array.of(NaN) }],
      ["no rows", { name: "real", datatype: "FP32", shape: [0], data: new Float32Array(0) }],
    ])("%s come back as they went", async (_name, tensor) => {
      const backend = await open("echo", urlsOf(transport));
      const others = EMPTY.filter(({ name }) => name !== tensor.name);
      const [output] = await backend.run([tensor, ...others], [`${tensor.name}_out`]);
      expect(output).toEqual({ ...tensor, name: `${tensor.name}_out` });
    });

    test("what the server says about a request passes through, code and words", async () => {
      const backend = await open("plain", urlsOf(transport));
      const wrong: Tensor = {
        name: "x",
        datatype: "FP32",
        shape: [1, 3],
        data: new Float32Array(3),
      };
      const [k] = createQuestion(1, 0);
      if (k === undefined) throw new Error("no question");
      await expect(backend.run([k, wrong], ["y"])).rejects.toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining("x"),
      });
    });

    test("a model that the servers do not have is unavailable, and so are servers that are not there", async () => {
      await expect(open("absent", urlsOf(transport))).rejects.toMatchObject({
        code: "unavailable",
      });
      const nobody = transport === "HTTP" ? "http://127.0.0.1:9" : "grpc://127.0.0.1:9";
      await expect(open("plain", [nobody])).rejects.toMatchObject({
        code: "unavailable",
      });
      await expect(open("plain", [])).rejects.toMatchObject({ code: "invalid_argument" });
      await expect(open("plain", ["example"])).rejects.toMatchObject({ code: "invalid_argument" });
    });
  },
);

const EMPTY: readonly Tensor[] = [
  { name: "text", datatype: "BYTES", shape: [0], data: [] },
  { name: "flag", datatype: "BOOL", shape: [0], data: new Uint8Array(0) },
  { name: "half", datatype: "FP16", shape: [0], data: new Uint16Array(0) },
  { name: "whole", datatype: "INT64", shape: [0], data: new BigInt64Array(0) },
  { name: "real", datatype: "FP32", shape: [0], data: new Float32Array(0) },
];

import { Agent, request } from "node:http";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GRPCInferenceService } from "../../src/generated/open_inference_pb.ts";
import { PredictionService } from "../../src/generated/tensorflow_serving_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { describeWithData, readData } from "../support/shared-data.ts";
import { writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
let client: GrpcClient;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "rateLimit.requests": "0",
    "overload.maxEventLoopLagMs": "0",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
  client = new GrpcClient(server.grpcAddress ?? "");
}, 60_000);
afterAll(async () => {
  agent.destroy();
  client.close();
  await server.drain();
  await models.remove();
});

/** Every address at which a body is decoded. */
const ADDRESSES = [
  "/v1/models/reviews:predict",
  "/v1/models/reviews:classify",
  "/v1/models/reviews:regress",
  "/v1/models/numbers:predict",
  "/v2/models/reviews/infer",
  "/v2/models/numbers/infer",
  "/v2/repository/index",
  "/v2/repository/models/reviews/load",
  "/predict",
  "/",
  "/invocations",
  "/embed",
  "/rerank",
  "/similarity",
  "/tokenize",
  "/v1/moderations",
  "/v1/embeddings",
  "/v1/predictions",
];

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** A hang fails by its own, short timeout. */
function post(path: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
  return new Promise<Answered>((resolve, reject) => {
    const outgoing = request(
      `${server.url}${path}`,
      { method: "POST", agent, headers: { "content-type": "application/json", ...headers } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error(`The server hangs at ${path}.`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function expectAnswered({ status, body }: Answered, about: string): void {
  expect(status, `${about}: ${body}`).toBeGreaterThanOrEqual(200);
  expect(status, `${about}: ${body}`).toBeLessThan(500);
}

/** Bodies that are nearly right: known names with values of any kind. */
const member = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    -1,
    1e308,
    2 ** 53,
    "",
    "text",
    [],
    {},
    [[]],
    { b64: "!" },
    { b64: "/w==" },
    null,
  ),
);
const names = [
  "inputs",
  "instances",
  "examples",
  "context",
  "outputs",
  "input",
  "texts",
  "query",
  "parameters",
  "signature_name",
  "id",
  "model",
  "encoding_format",
  "dimensions",
  "truncate",
];
const tensor = fc.record(
  {
    name: fc.oneof(fc.constantFrom("text", "x", "k"), member),
    datatype: fc.oneof(fc.constantFrom("BYTES", "FP32", "INT64", "BF16"), member),
    shape: fc.oneof(fc.array(fc.integer({ min: -2, max: 5 }), { maxLength: 4 }), member),
    data: member,
    parameters: fc.oneof(fc.record({ binary_data_size: fc.integer() }), member),
  },
  { requiredKeys: [] },
);
const nearly = fc.dictionary(
  fc.constantFrom(...names),
  fc.oneof(
    member,
    fc.array(tensor, { maxLength: 3 }),
    fc.array(fc.dictionary(fc.constantFrom("text", "x", "k"), member)),
  ),
  { maxKeys: 4 },
);

const BLANKS = Buffer.alloc(128 * 1024 * 1024, " ");
const BOMBS = [
  { encoding: "gzip", bomb: gzipSync(BLANKS) },
  { encoding: "deflate", bomb: deflateSync(BLANKS) },
];

describe.each(ADDRESSES)("at %s", (path) => {
  test("no body, however wrong, is answered with a 5xx or not at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(nearly, fc.jsonValue()), async (value) => {
        expectAnswered(await post(path, JSON.stringify(value)), JSON.stringify(value));
      }),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom("0", "3", "-1", "x", "999"),
        async (bytes, length) => {
          expectAnswered(
            await post(path, bytes, { "inference-header-content-length": length }),
            Buffer.from(bytes).toString("hex"),
          );
        },
      ),
      { numRuns: 50 },
    );
  }, 60_000);

  test("bombs of depth, of compression and of numbers are refused at once", async () => {
    const deep = `{"inputs":${"[".repeat(200_000)}`;
    const wide = JSON.stringify({ inputs: Array.from({ length: 1025 }, () => ({ name: "x" })) });
    const huge = `{"inputs":[{"name":"x","datatype":"FP32","shape":[2147483647,2147483647,4],"data":[]}]}`;
    const digits = `{"inputs":${"9".repeat(100_000)},"instances":[${"1e".repeat(10_000)}]}`;
    const before = process.memoryUsage().rss;
    for (const body of [deep, wide, huge, digits]) {
      const startedMs = performance.now();
      const answer = await post(path, body);
      expectAnswered(answer, body.slice(0, 20));
      expect(performance.now() - startedMs).toBeLessThan(5000);
    }
    for (const { encoding, bomb } of BOMBS) {
      const answer = await post(path, bomb, { "content-encoding": encoding });
      expectAnswered(answer, encoding);
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * 1024 * 1024);
  }, 60_000);
});

describeWithData("JSON bodies of every kind", ["json_parsing_tests/cases.jsonl"], () => {
  test("are answered at every address, as they are and as the value of a field", async () => {
    const lines = readData("json_parsing_tests/cases.jsonl")
      .split("\n")
      .filter((line) => line !== "");
    const cases = lines.map((line) => JSON.parse(line) as { name: string; base64: string });
    expect(cases).toHaveLength(340);
    for (const path of ADDRESSES) {
      await Promise.all(
        cases.map(async ({ name, base64 }) => {
          const body = Buffer.from(base64, "base64");
          expectAnswered(await post(path, body), `${path} ${name}`);
          const [before, after] = [Buffer.from('{"inputs":'), Buffer.from("}")];
          expectAnswered(await post(path, Buffer.concat([before, body, after])), `${path} ${name}`);
        }),
      );
    }
  }, 120_000);
});

test("over gRPC no bytes are answered with a bug, and the server lives", async () => {
  // INTERNAL, UNKNOWN and UNAVAILABLE would be the server's fault.
  const faults = [2, 13, 14];
  for (const method of [
    GRPCInferenceService.method.modelInfer,
    PredictionService.method.predict,
    PredictionService.method.classify,
  ]) {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        const code = await client.callBytes(method, Buffer.from(bytes)).then(
          () => 0,
          (error: { code: number }) => error.code,
        );
        expect(faults).not.toContain(code);
      }),
      { numRuns: 200 },
    );
  }
  expect(await client.call(GRPCInferenceService.method.serverLive, {})).toMatchObject({
    live: true,
  });
}, 60_000);

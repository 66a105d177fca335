import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/generated/grpc_health_pb.ts";
import type { ModelStreamInferResponse } from "../../src/generated/open_inference_pb.ts";
import {
  GRPCInferenceService,
  ModelInferRequestSchema,
} from "../../src/generated/open_inference_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));
const MODEL = "text-classification";
const KEY = "sluice_test_key";
const { method } = GRPCInferenceService;
const OPTIONS = {
  "models.directory": MODELS,
  "models.defaultVersions": `{"${MODEL}":"1.0.0"}`,
  "grpc.listen": "on",
  "grpc.port": "0",
};

let server: TestServer;
let client: GrpcClient;
beforeAll(async () => {
  server = await startTestServer(OPTIONS);
  client = new GrpcClient(server.grpcAddress ?? "");
});
afterAll(async () => {
  client.close();
  await server.drain();
});

const textsOf = (texts: readonly string[]) => ({
  name: "text",
  datatype: "BYTES",
  shape: [BigInt(texts.length)],
  contents: { bytesContents: texts.map((text) => Buffer.from(text)) },
});
const ask = (texts: readonly string[]) => ({ modelName: MODEL, inputs: [textsOf(texts)] });

test("a text has the scores over gRPC that it has over HTTP, raw or typed as it was sent", async () => {
  const text = "The battery lasts all day.";
  const native = await server.classify({ text, model_version: "1.0.0" });
  const { predictions } = (await native.json()) as { predictions: { confidence: number }[] };
  const typed = await client.call(method.modelInfer, { ...ask([text]), id: "7" });
  expect(typed).toMatchObject({ modelName: MODEL, modelVersion: "1.0.0", id: "7" });
  expect(typed.outputs.map(({ name }) => name)).toEqual(["label", "score", "probabilities"]);
  expect(typed.outputs[1]?.contents?.fp32Contents[0]).toBeCloseTo(
    predictions[0]?.confidence ?? 0,
    5,
  );
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  const raw = await client.call(method.modelInfer, {
    modelName: MODEL,
    inputs: [{ name: "text", datatype: "BYTES", shape: [1n] }],
    rawInputContents: [Buffer.concat([length, bytes])],
  });
  expect(raw.rawOutputContents).toHaveLength(3);
  const score = Buffer.from(raw.rawOutputContents[1] ?? []).readFloatLE(0);
  expect(score).toBe(typed.outputs[1]?.contents?.fp32Contents[0]);
});

test("server and models tell what they are", async () => {
  expect(await client.call(method.serverLive, {})).toMatchObject({ live: true });
  expect(await client.call(method.serverReady, {})).toMatchObject({ ready: true });
  expect(await client.call(method.modelReady, { name: MODEL })).toMatchObject({ ready: true });
  const { extensions } = await client.call(method.serverMetadata, {});
  expect(extensions).toContain("statistics");
  const metadata = await client.call(method.modelMetadata, { name: MODEL, version: "1.0.0" });
  expect(metadata.inputs).toMatchObject([{ name: "text", datatype: "BYTES", shape: [-1n] }]);
  expect(metadata.versions).toContain("1.0.0");
  const { config } = await client.call(method.modelConfig, { name: MODEL });
  expect(config).toMatchObject({ name: MODEL, maxBatchSize: 0 });
  await client.call(method.modelInfer, ask(["Counted."]));
  const { modelStats } = await client.call(method.modelStatistics, {
    name: MODEL,
    version: "1.0.0",
  });
  expect(modelStats[0]?.inferenceStats?.success?.count).toBeGreaterThan(0n);
  const { models } = await client.call(method.repositoryIndex, { ready: true });
  expect(models).toContainEqual(expect.objectContaining({ name: MODEL, state: "READY" }));
});

describe("every failure has its status", () => {
  test.each([
    ["an unknown model", { modelName: "nothing" }, status.NOT_FOUND],
    ["an unknown version", { modelName: MODEL, modelVersion: "9" }, status.NOT_FOUND],
    ["no model", {}, status.INVALID_ARGUMENT],
    ["no inputs", { modelName: MODEL }, status.INVALID_ARGUMENT],
    ["an empty text", ask([" "]), status.INVALID_ARGUMENT],
    ["a text that is too long", ask(["x".repeat(5001)]), status.INVALID_ARGUMENT],
    [
      "a wrong datatype",
      { ...ask([]), inputs: [{ name: "text", datatype: "INT32", shape: [1n] }] },
      status.INVALID_ARGUMENT,
    ],
    [
      "sizes that do not add up",
      { ...ask([]), inputs: [{ ...textsOf(["a"]), shape: [3n] }] },
      status.INVALID_ARGUMENT,
    ],
    [
      "a negative size",
      { ...ask([]), inputs: [{ ...textsOf(["a"]), shape: [-1n] }] },
      status.INVALID_ARGUMENT,
    ],
  ])("%s", async (_, message, code) => {
    await expect(client.call(method.modelInfer, message)).rejects.toMatchObject({ code });
  });

  test("bytes that are no message", async () => {
    const garbage = Buffer.from([0xff, 0xff, 0xff, 0x01, 0x02]);
    const code = status.INVALID_ARGUMENT;
    await expect(client.callBytes(method.modelInfer, garbage)).rejects.toMatchObject({ code });
  });

  test("loading a model where callers may not", async () => {
    const code = status.PERMISSION_DENIED;
    const load = client.call(method.repositoryModelLoad, { modelName: MODEL });
    await expect(load).rejects.toMatchObject({
      code,
      details: expect.stringContaining("models.control"),
    });
  });

  test("an answer that does not come in time", async () => {
    const late = client.call(method.modelInfer, ask(["Too late."]), { deadline: Date.now() - 1 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

test("a stream answers every message in order, and one that fails does not end it", async () => {
  const stream = client.stream(method.modelStreamInfer);
  const answers: ModelStreamInferResponse[] = [];
  stream.on("data", (answer: ModelStreamInferResponse) => answers.push(answer));
  for (let i = 0; i < 200; i++) {
    const texts = i === 50 ? ["  "] : [`Message ${i} is fine.`];
    stream.write(create(ModelInferRequestSchema, { ...ask(texts), id: String(i) }));
  }
  stream.end();
  await new Promise((resolve) => stream.once("end", resolve));
  expect(answers.map(({ inferResponse }) => inferResponse?.id)).toEqual(
    Array.from({ length: 200 }, (_, i) => String(i)),
  );
  const failed = answers.filter(({ errorMessage }) => errorMessage !== "");
  expect(failed.map(({ inferResponse }) => inferResponse?.id)).toEqual(["50"]);
});

test("health can be asked, and watched until the server drains", async () => {
  const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
  const own = await startTestServer({ ...OPTIONS, "shutdown.drainDelayMs": "1500" });
  const ownClient = new GrpcClient(own.grpcAddress ?? "");
  expect(await ownClient.call(Health.method.check, {})).toMatchObject({ status: SERVING });
  const unknown = ownClient.call(Health.method.check, { service: "nothing" });
  await expect(unknown).rejects.toMatchObject({ code: status.NOT_FOUND });
  const seen: number[] = [];
  const watch = ownClient.watch(Health.method.watch, { service: GRPCInferenceService.typeName });
  watch.on("error", () => {});
  const told = new Promise<void>((resolve) => {
    watch.on("data", ({ status: one }: { status: number }) => {
      seen.push(one);
      if (one === NOT_SERVING) resolve();
    });
  });
  await new Promise((resolve) => watch.once("data", resolve));
  const drained = own.drain();
  await told;
  watch.cancel();
  await drained;
  ownClient.close();
  expect(seen).toEqual([SERVING, NOT_SERVING]);
});

test("keys and allowances hold over gRPC as they do over HTTP, and are the same", async () => {
  const { createHash } = await import("node:crypto");
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  const own = await startTestServer({
    ...OPTIONS,
    "auth.required": "always",
    "auth.keys": JSON.stringify([{ id: "tester", sha256 }]),
    "rateLimit.requests": "2",
  });
  const ownClient = new GrpcClient(own.grpcAddress ?? "");
  const unkeyed = ownClient.call(method.modelInfer, ask(["a"]));
  await expect(unkeyed).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  expect(await ownClient.call(method.serverLive, {})).toMatchObject({ live: true });
  const headers = { authorization: `Bearer ${KEY}` };
  await ownClient.call(method.modelInfer, ask(["a"]), { headers });
  const overHttp = await own.classify({ text: "a" }, { "x-api-key": KEY });
  expect(overHttp.status).toBe(200);
  const spent = ownClient.call(method.modelInfer, ask(["a"]), { headers });
  await expect(spent).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  ownClient.close();
  await own.drain();
});

test("a message beyond the limit is refused, and the server lives", async () => {
  const own = await startTestServer({ ...OPTIONS, "server.maxTensorBodyBytes": "65536" });
  const ownClient = new GrpcClient(own.grpcAddress ?? "");
  const large = ownClient.call(method.modelInfer, ask(["x".repeat(100_000)]));
  await expect(large).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  expect(await ownClient.call(method.serverLive, {})).toMatchObject({ live: true });
  ownClient.close();
  await own.drain();
});

test("a port that is taken is gone without, or is a reason not to start, as configured", async () => {
  const blocker = createServer();
  const port = await new Promise<number>((resolve) => {
    blocker.listen(0, "127.0.0.1", () => {
      const address = blocker.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
  const taken = { ...OPTIONS, "grpc.port": String(port) };
  const own = await startTestServer({ ...taken, "grpc.listen": "auto" });
  expect(own.grpcAddress).toBeUndefined();
  expect(own.log.map(({ message }) => message).join()).toContain(`Port ${port} stays closed`);
  await own.drain();
  await expect(startTestServer(taken)).rejects.toThrow(`Port ${port} cannot be opened`);
  blocker.close();
});

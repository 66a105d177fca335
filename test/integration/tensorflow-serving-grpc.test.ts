import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/generated/grpc_health_pb.ts";
import { DataType } from "../../src/generated/tensorflow_pb.ts";
import {
  ModelService,
  ModelVersionStatus_State,
  PredictionService,
  SignatureDefMapSchema,
} from "../../src/generated/tensorflow_serving_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import {
  computeExpected,
  writeDoublingModel,
  writeTensorModel,
} from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const { predict, classify, regress, multiInference, getModelMetadata } = PredictionService.method;
const { getModelStatus, handleReloadConfigRequest } = ModelService.method;
const TEXT = "A good film with a bad ending.";

let models: ModelFolder;
let server: TestServer;
let client: GrpcClient;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.write({ model: "reviews", version: "2.1.0" });
  await models.write({ model: "reviews", version: "3.0.0", bytes: Buffer.from("no model") });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("doubled/1.0.0", { "model.onnx": writeDoublingModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "models.control": "explicit",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
  client = new GrpcClient(server.grpcAddress ?? "");
}, 60_000);
afterAll(async () => {
  client.close();
  await server.drain();
  await models.remove();
});

const texts = (...values: string[]) => ({
  dtype: DataType.DT_STRING,
  tensorShape: { dim: [{ size: BigInt(values.length) }] },
  stringVal: values.map((value) => Buffer.from(value)),
});
const exampleOf = (text: string) => ({
  features: {
    feature: {
      text: { kind: { case: "bytesList" as const, value: { value: [Buffer.from(text)] } } },
    },
  },
});
const inputOf = (...values: string[]) => ({
  kind: { case: "exampleList" as const, value: { examples: values.map(exampleOf) } },
});
const reviews = { name: "reviews" };

test("a text has the scores by Predict, Classify and MultiInference that it has by /classify", async () => {
  const native = await server.classify({ text: TEXT, top_k: 0 });
  const { predictions: own } = (await native.json()) as {
    predictions: { label: string; confidence: number }[];
  };
  const answer = await client.call(predict, { modelSpec: reviews, inputs: { text: texts(TEXT) } });
  expect(answer.modelSpec).toMatchObject({ name: "reviews", signatureName: "serving_default" });
  expect(answer.modelSpec?.versionChoice.value).toMatchObject({ value: 2_001_000n });
  const labels = (answer.outputs["labels"]?.stringVal ?? []).map((label) =>
    Buffer.from(label).toString(),
  );
  const scores = answer.outputs["scores"]?.floatVal ?? [];
  for (const [index, label] of labels.entries()) {
    const { confidence = -1 } = own.find((one) => one.label === label) ?? {};
    expect(scores[index]).toBeCloseTo(confidence, 5);
  }
  const { result } = await client.call(classify, { modelSpec: reviews, input: inputOf(TEXT) });
  const classes = result?.classifications[0]?.classes ?? [];
  expect(classes.map(({ label, score }) => [label, score])).toEqual(
    labels.map((label, index) => [label, scores[index]]),
  );
  const several = await client.call(multiInference, {
    tasks: [{ modelSpec: reviews, methodName: "tensorflow/serving/classify" }],
    input: inputOf(TEXT),
  });
  expect(several.results[0]?.result.value).toMatchObject({ classifications: [{ classes }] });
});

test("only the outputs that are asked for come, and a version is named by its number or a label", async () => {
  const number = { ...reviews, versionChoice: { case: "version" as const, value: { value: 1n } } };
  const answer = await client.call(predict, {
    modelSpec: number,
    inputs: { anything: texts(TEXT, "good") },
    outputFilter: ["scores"],
  });
  expect(Object.keys(answer.outputs)).toEqual(["scores"]);
  expect(answer.outputs["scores"]?.tensorShape?.dim.map(({ size }) => size)).toEqual([2n, 2n]);
  const label = { ...reviews, versionChoice: { case: "versionLabel" as const, value: "2.1.0" } };
  await client.call(predict, { modelSpec: label, inputs: { text: texts(TEXT) } });
});

test("tensors of several inputs go in and out", async () => {
  const float = { dtype: DataType.DT_FLOAT, tensorShape: { dim: [{ size: 1n }, { size: 4n }] } };
  const { outputs } = await client.call(predict, {
    modelSpec: { name: "numbers" },
    inputs: {
      x: { ...float, floatVal: [1, 2, 3, 4] },
      k: { dtype: DataType.DT_INT64, tensorShape: { dim: [{ size: 1n }] }, int64Val: [2n] },
    },
  });
  expect(outputs["y"]?.floatVal).toEqual(computeExpected([1, 2, 3, 4], 2n).y);
  expect(outputs["next"]?.int64Val).toEqual([4n]);
});

test("signatures and states are told in TensorFlow's terms", async () => {
  const metadata = await client.call(getModelMetadata, {
    modelSpec: { name: "numbers" },
    metadataField: ["signature_def"],
  });
  const any = metadata.metadata["signature_def"];
  const map = any === undefined ? undefined : anyUnpack(any, SignatureDefMapSchema);
  const signature = map?.signatureDef["serving_default"];
  expect(signature?.inputs["x"]).toMatchObject({ dtype: DataType.DT_FLOAT });
  const { modelVersionStatus } = await client.call(getModelStatus, { modelSpec: reviews });
  expect(modelVersionStatus.map(({ version, state }) => [version, state])).toEqual([
    [3n, ModelVersionStatus_State.END],
    [2_001_000n, ModelVersionStatus_State.AVAILABLE],
    [1n, ModelVersionStatus_State.AVAILABLE],
  ]);
  const [failed, ready] = modelVersionStatus.map((version) => version.status);
  expect(failed).toMatchObject({
    errorCode: status.UNAVAILABLE,
    errorMessage: expect.stringMatching(/./),
  });
  expect(ready).toMatchObject({ errorCode: 0, errorMessage: "" });
  const one = { ...reviews, versionChoice: { case: "version" as const, value: { value: 1n } } };
  const alone = await client.call(getModelStatus, { modelSpec: one });
  expect(alone.modelVersionStatus.map(({ version }) => version)).toEqual([1n]);
});

test("numbers come by Regress and MultiInference, under whatever name the signature has", async () => {
  const modelSpec = { name: "doubled", signatureName: "regress_x" };
  const rows = [1.5, -4].map((value) => ({
    features: {
      feature: { x: { kind: { case: "floatList" as const, value: { value: [value] } } } },
    },
  }));
  const input = { kind: { case: "exampleList" as const, value: { examples: rows } } };
  const answer = await client.call(regress, { modelSpec, input });
  expect(answer.result?.regressions.map(({ value }) => value)).toEqual([3, -8]);
  expect(answer.modelSpec).toMatchObject(modelSpec);
  expect(answer.modelSpec?.versionChoice.value).toMatchObject({ value: 1n });
  const { results } = await client.call(multiInference, {
    tasks: [
      { modelSpec, methodName: "tensorflow/serving/regress" },
      { modelSpec: { name: "doubled" }, methodName: "tensorflow/serving/regress" },
    ],
    input,
  });
  expect(results.map((result) => result.modelSpec?.signatureName)).toEqual([
    "regress_x",
    "serving_default",
  ]);
  expect(results.map(({ result }) => result.case)).toEqual([
    "regressionResult",
    "regressionResult",
  ]);
});

test("every failure has its status", async () => {
  const ask = (
    message: Parameters<typeof client.call<typeof predict.input, typeof predict.output>>[1],
  ) => client.call(predict, message);
  const inputs = { text: texts("a") };
  const seven = { case: "version" as const, value: { value: 7n } };
  const NOT_FOUND = status.NOT_FOUND;
  const INVALID = status.INVALID_ARGUMENT;
  await expect(ask({ modelSpec: { name: "nothing" }, inputs })).rejects.toMatchObject({
    code: NOT_FOUND,
    details: "Servable not found for request: Latest(nothing)",
  });
  await expect(
    ask({ modelSpec: { ...reviews, versionChoice: seven }, inputs }),
  ).rejects.toMatchObject({
    code: NOT_FOUND,
    details: "Servable not found for request: Specific(reviews, 7)",
  });
  await expect(ask({ inputs })).rejects.toMatchObject({ code: INVALID });
  await expect(ask({ modelSpec: reviews })).rejects.toMatchObject({ code: INVALID });
  await expect(
    ask({ modelSpec: { ...reviews, signatureName: "x" }, inputs }),
  ).rejects.toMatchObject({
    code: INVALID,
    details: 'Serving signature name: "x" not found in signature def',
  });
  const label = { case: "versionLabel" as const, value: "canary" };
  await expect(
    ask({ modelSpec: { ...reviews, versionChoice: label }, inputs }),
  ).rejects.toMatchObject({
    code: INVALID,
    details: "Unrecognized servable version label: canary",
  });
  const three = { case: "version" as const, value: { value: 3n } };
  await expect(
    ask({ modelSpec: { ...reviews, versionChoice: three }, inputs }),
  ).rejects.toMatchObject({ code: status.UNAVAILABLE });
  await expect(ask({ modelSpec: reviews, inputs: { text: texts(" ") } })).rejects.toMatchObject({
    code: INVALID,
  });
  await expect(ask({ modelSpec: reviews, inputs, outputFilter: ["x"] })).rejects.toMatchObject({
    code: INVALID,
  });
  const number = client.call(regress, { modelSpec: reviews, input: inputOf("a") });
  await expect(number).rejects.toMatchObject({ code: INVALID });
  const unknown = client.call(getModelStatus, { modelSpec: { name: "nothing" } });
  await expect(unknown).rejects.toMatchObject({
    code: NOT_FOUND,
    details: "Could not find any versions of model nothing",
  });
  const fields = client.call(getModelMetadata, { modelSpec: reviews, metadataField: ["graph"] });
  await expect(fields).rejects.toMatchObject({ code: INVALID });
  const methods = client.call(multiInference, { tasks: [{ modelSpec: reviews, methodName: "x" }] });
  await expect(methods).rejects.toMatchObject({ code: INVALID });
  const none = client.call(classify, { modelSpec: reviews });
  await expect(none).rejects.toMatchObject({ code: INVALID });
  const garbage = Buffer.from([0xff, 0xff, 0xff, 0x01, 0x02]);
  for (const method of [predict, classify, multiInference, getModelStatus]) {
    await expect(client.callBytes(method, garbage)).rejects.toMatchObject({ code: INVALID });
  }
});

test("the list of models stays as it is where callers may not change it", async () => {
  const own = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
  const ownClient = new GrpcClient(own.grpcAddress ?? "");
  for (const config of [[], [{ name: "reviews", basePath: "/models/reviews" }]]) {
    const refused = ownClient.call(handleReloadConfigRequest, {
      config: { config: { case: "modelConfigList", value: { config } } },
    });
    await expect(refused).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining("models.control"),
    });
  }
  const services = [PredictionService, ModelService];
  for (const { typeName: service } of services) {
    const { status: health } = await ownClient.call(Health.method.check, { service });
    expect(health).toBe(HealthCheckResponse_ServingStatus.SERVING);
  }
  ownClient.close();
  await own.drain();
});

test("the list of models is changed by its own request, where callers may", async () => {
  const reload = (...names: string[]) =>
    client.call(handleReloadConfigRequest, {
      config: {
        config: {
          case: "modelConfigList",
          value: { config: names.map((name) => ({ name, basePath: `/models/${name}` })) },
        },
      },
    });
  expect((await reload("reviews")).status).toMatchObject({ errorCode: 0 });
  const gone = client.call(predict, { modelSpec: { name: "numbers" } });
  await expect(gone).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect((await reload("reviews", "numbers")).status).toMatchObject({ errorCode: 0 });
  const { modelVersionStatus } = await client.call(getModelStatus, {
    modelSpec: { name: "numbers" },
  });
  expect(modelVersionStatus[0]?.state).toBe(ModelVersionStatus_State.AVAILABLE);
  expect((await reload("reviews", "numbers", "nothing")).status).toMatchObject({
    errorCode: status.NOT_FOUND,
  });
});

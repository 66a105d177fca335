import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { readGolden, readGoldenTensors, toPlain } from "../../../../test/support/golden-tensors.ts";
import type { Tensor, TensorSignature } from "../../../core/ports/tensor.ts";
import {
  ClassificationRequestSchema,
  GetModelMetadataRequestSchema,
  GetModelMetadataResponseSchema,
  GetModelStatusRequestSchema,
  MultiInferenceRequestSchema,
  PredictRequestSchema,
  PredictResponseSchema,
  RegressionRequestSchema,
  ReloadConfigRequestSchema,
} from "../../../generated/tensorflow_serving_pb.ts";
import { createMessageDecoder } from "../../message-decoder.ts";
import { toExampleTensors } from "../example-tensors.ts";
import { decodePredictResponse, encodePredictRequest } from "./call-remote-model.ts";
import { decodeExampleRequest } from "./classify.ts";
import {
  decodeMetadataRequest,
  decodeMetadataResponse,
  encodeMetadataResponse,
} from "./model-metadata.ts";
import { decodeStatusRequest } from "./model-status.ts";
import { decodeMultiInference } from "./multi-inference.ts";
import { decodePredictRequest, encodePredictResponse } from "./predict.ts";
import { decodeReloadConfig } from "./reload-config.ts";

/*
 * The golden messages were made with the stubs of tensorflow-serving-api 2.21.0 and of tensorflow 2.21.0 (PyPI).
 * `tensors.json` says what is in them: every datatype with its extremes, as a row, a box, a single value and without
 * elements.
 */
const FOLDER = "tensorflow-serving-grpc";
const EXPECTED = readGoldenTensors(FOLDER);

function read<Schema extends DescMessage>(schema: Schema, name: string): MessageShape<Schema> {
  return createMessageDecoder(schema)(readGolden(`${FOLDER}/${name}.bin`));
}

const toTensors = (tensors: readonly Tensor[]) =>
  new Map(tensors.map((tensor) => [tensor.name, toPlain(tensor)]));
const SPEC = { model: "all-kinds", version: "3", signatureName: "serving_default" };

describe.each(["content", "lists"])("tensors as %s", (form) => {
  test("of a request mean what they were made from", () => {
    const { inputs, ...rest } = decodePredictRequest(
      read(PredictRequestSchema, `predict-request-${form}`),
    );
    expect(toTensors(inputs)).toEqual(EXPECTED);
    expect(rest).toEqual({ ...SPEC, label: undefined, outputs: ["y", "z"] });
  });

  test("of an answer mean what they were made from", () => {
    const answer = decodePredictResponse(read(PredictResponseSchema, `predict-response-${form}`));
    expect(toTensors(answer.outputs)).toEqual(EXPECTED);
    expect([answer.model, answer.version]).toEqual(["all-kinds", "3"]);
  });
});

test("our requests are, as messages, those of the official stubs", () => {
  const theirs = read(PredictRequestSchema, "predict-request-content");
  const { inputs } = decodePredictRequest(theirs);
  const ours = encodePredictRequest({ ...SPEC, inputs, outputs: ["y", "z"] });
  const again = fromBinary(PredictRequestSchema, toBinary(PredictRequestSchema, ours));
  expect(again).toEqual(theirs);
});

test("our answers are, as messages, those of the official stubs", () => {
  const theirs = read(PredictResponseSchema, "predict-response-lists");
  const { outputs } = decodePredictResponse(theirs);
  const ours = encodePredictResponse({ ...SPEC, outputs });
  const again = fromBinary(PredictResponseSchema, toBinary(PredictResponseSchema, ours));
  expect(again).toEqual(theirs);
});

test("lists that are too short repeat their last element", () => {
  const message = read(PredictRequestSchema, "predict-request-short");
  const { inputs, label, version } = decodePredictRequest(message);
  expect([label, version]).toEqual(["stable", undefined]);
  const data = Object.fromEntries(
    inputs.map((tensor) => [tensor.name, Array.from<unknown>(tensor.data)]),
  );
  expect(data).toEqual({
    repeated: [1.5, 2.5, 2.5, 2.5],
    one: [-7n, -7n, -7n],
    zeros: [0, 0],
    texts: ["a", "a", "a"],
    truths: [0, 1, 1],
    halves: [0x3c00, 0x3c00],
  });
});

describe("examples", () => {
  const signature = (...inputs: TensorSignature["inputs"]): TensorSignature => ({
    inputs,
    outputs: [{ name: "scores", datatype: "FP32", shape: [null, 2] }],
  });

  test("of texts become one tensor", () => {
    const request = decodeExampleRequest(read(ClassificationRequestSchema, "classify-request"));
    expect(request.model).toBe("sentiment");
    const texts = signature({ name: "text", datatype: "BYTES", shape: [null] });
    expect(toExampleTensors(request, texts)).toEqual([
      { name: "text", datatype: "BYTES", shape: [2], data: ["good", "schön"] },
    ]);
  });

  test("share the features of their context", () => {
    const request = decodeExampleRequest(read(RegressionRequestSchema, "regress-request"));
    const inputs = signature(
      { name: "size", datatype: "FP32", shape: [null, 2] },
      { name: "year", datatype: "INT64", shape: [null] },
    );
    expect(toExampleTensors(request, inputs)).toEqual([
      { name: "size", datatype: "FP32", shape: [2, 2], data: Float32Array.of(1.5, 2.5, 3.5, 4.5) },
      { name: "year", datatype: "INT64", shape: [2], data: BigInt64Array.of(2024n, 2024n) },
    ]);
  });

  test("may be asked about in several ways at once", () => {
    const request = decodeMultiInference(
      read(MultiInferenceRequestSchema, "multi-inference-request"),
    );
    expect(request.examples).toHaveLength(2);
    expect(request.tasks.map(({ method, signatureName }) => [method, signatureName])).toEqual([
      ["classify", "c"],
      ["regress", "r"],
    ]);
  });
});

test("metadata is the map of signatures, and ours is, as a message, that of the official stubs", () => {
  const request = read(GetModelMetadataRequestSchema, "metadata-request");
  expect(decodeMetadataRequest(request).model).toBe("sentiment");
  const theirs = read(GetModelMetadataResponseSchema, "metadata-response");
  const signatures = decodeMetadataResponse(theirs);
  const [signature] = signatures;
  expect(signatures).toHaveLength(1);
  expect(signature).toMatchObject({
    signatureName: "serving_default",
    methodName: "tensorflow/serving/predict",
    inputs: [{ name: "text", datatype: "BYTES", shape: [null] }],
  });
  const outputs = new Map(signature?.outputs.map((output) => [output.name, output]));
  expect(outputs).toEqual(
    new Map([
      ["scores", { name: "scores", datatype: "FP32", shape: [null, 3] }],
      ["free", { name: "free", datatype: "INT64", shape: undefined }],
    ]),
  );
  const ours = encodeMetadataResponse(SPEC, signatures);
  expect(ours.metadata["signature_def"]?.typeUrl).toBe(theirs.metadata["signature_def"]?.typeUrl);
  expect(decodeMetadataResponse(ours)).toEqual(signatures);
  expect(create(GetModelMetadataResponseSchema, { ...ours, metadata: {} })).toEqual(
    create(GetModelMetadataResponseSchema, { ...theirs, metadata: {} }),
  );
});

test("a request for the status names a version", () => {
  const spec = decodeStatusRequest(read(GetModelStatusRequestSchema, "status-request"));
  expect(spec).toMatchObject({ model: "sentiment", version: "7" });
});

test("a new configuration lists its models with their versions", () => {
  const { models } = decodeReloadConfig(read(ReloadConfigRequestSchema, "reload-request"));
  expect(models).toEqual([
    {
      name: "a",
      basePath: "/models/a",
      platform: "tensorflow",
      versions: { kind: "specific", versions: [1n, 3n] },
      labels: new Map([["stable", 1n]]),
    },
    expect.objectContaining({ name: "b", versions: { kind: "all" } }),
    expect.objectContaining({ name: "c", versions: { kind: "latest", count: 2 } }),
    expect.objectContaining({ name: "d", versions: { kind: "latest", count: 1 } }),
  ]);
});

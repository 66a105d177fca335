import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../core/errors.ts";
import type { TensorProtoSchema } from "../../../generated/tensorflow_pb.ts";
import { DataType } from "../../../generated/tensorflow_pb.ts";
import {
  ClassificationRequestSchema,
  GetModelMetadataRequestSchema,
  GetModelMetadataResponseSchema,
  MultiInferenceRequestSchema,
  PredictRequestSchema,
  PredictResponseSchema,
  ReloadConfigRequestSchema,
} from "../../../generated/tensorflow_serving_pb.ts";
import { decodePredictResponse } from "./call-remote-model.ts";
import {
  decodeExampleRequest,
  encodeClassificationResponse,
  encodeRegressionResponse,
} from "./classify.ts";
import { decodeMetadataRequest, decodeMetadataResponse } from "./model-metadata.ts";
import { encodeModelSpec, toVersionNumber } from "./model-spec.ts";
import { encodeStatusResponse } from "./model-status.ts";
import { decodeMultiInference, encodeMultiInference } from "./multi-inference.ts";
import { decodePredictRequest } from "./predict.ts";
import { decodeReloadConfig, encodeReloadConfigResponse } from "./reload-config.ts";

type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

const modelSpec = { name: "m" };
const { DT_BFLOAT16, DT_BOOL, DT_FLOAT, DT_HALF, DT_INT64, DT_INT8, DT_STRING } = DataType;

function refusalOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const sized = (...sizes: number[]) => ({
  tensorShape: { dim: sizes.map((size) => ({ size: BigInt(size) })) },
});
const predict = (x: TensorInit) =>
  decodePredictRequest(create(PredictRequestSchema, { modelSpec, inputs: { x } }));

describe("a tensor is refused when", () => {
  test.each<[string, TensorInit, string]>([
    ["it has no dtype", { floatVal: [1] }, "inputs.x has no dtype"],
    ["its dtype is bfloat16", { dtype: DT_BFLOAT16 }, "inputs.x is DT_BFLOAT16, which is not"],
    ["its dtype is a quantized one", { dtype: 11 as DataType }, "inputs.x has the dtype 11"],
    [
      "its rank is unknown",
      { dtype: DT_FLOAT, tensorShape: { unknownRank: true } },
      "inputs.x has no shape (unknown_rank)",
    ],
    ["a size is -1", { dtype: DT_FLOAT, ...sized(-1), floatVal: [1] }, "inputs.x has a shape that"],
    ["sizes overflow", { dtype: DT_FLOAT, ...sized(2 ** 31, 2 ** 31) }, "inputs.x has a shape"],
    [
      "its bytes do not add up",
      { dtype: DT_FLOAT, ...sized(2), tensorContent: new Uint8Array(4) },
      "inputs.x has 4 bytes of tensor_content; its shape takes 8",
    ],
    [
      "it has too many elements",
      { dtype: DT_FLOAT, ...sized(1), floatVal: [1, 2] },
      "inputs.x has 2 elements in float_val; its shape has 1",
    ],
    [
      "its elements are in the list of another dtype",
      { dtype: DT_FLOAT, ...sized(1), doubleVal: [1] },
      "inputs.x has elements in another list than float_val",
    ],
    [
      "an element is out of range",
      { dtype: DT_INT8, ...sized(2), intVal: [1, 200] },
      "inputs.x has in int_val an element that is no INT8: number 1",
    ],
    ["a half float has more bits", { dtype: DT_HALF, halfVal: [65_536] }, "no FP16: number 0"],
    [
      "a BOOL is a byte of 2",
      { dtype: DT_BOOL, tensorContent: Uint8Array.of(2) },
      "neither 0 nor 1",
    ],
    [
      "its packed strings are cut short",
      { dtype: DT_STRING, ...sized(2), tensorContent: Uint8Array.of(1, 2, 65, 66) },
      "inputs.x has a tensor_content that is no list of 2 strings",
    ],
    [
      "its packed strings have a length without end",
      { dtype: DT_STRING, ...sized(1), tensorContent: new Uint8Array(9).fill(0xff) },
      "no list of 1 strings",
    ],
    [
      "a few bytes stand for gigabytes",
      { dtype: DT_INT64, ...sized(2 ** 30), int64Val: [7n] },
      "only small tensors are filled up",
    ],
    [
      "nothing stands for gigabytes of texts",
      { dtype: DT_STRING, ...sized(2 ** 30) },
      "only small tensors are filled up",
    ],
  ])("%s", (_, tensor, message) => {
    const error = refusalOf(() => predict(tensor));
    expect(error.code).toBe("invalid_argument");
    expect(error.details[0]?.field).toBe("inputs.x");
    expect(error.message).toContain(message);
  });

  test("many of one message are filled up a little each", () => {
    const tensor = { dtype: DT_FLOAT, ...sized(2 ** 20), floatVal: [1] };
    const inputs = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`x${i}`, tensor]));
    const message = create(PredictRequestSchema, { modelSpec, inputs });
    expect(refusalOf(() => decodePredictRequest(message)).message).toContain("filled up");
  });

  test("it comes from another server, whose fault it is", () => {
    const outputs = { y: { dtype: DT_FLOAT, ...sized(2), tensorContent: new Uint8Array(4) } };
    const message = create(PredictResponseSchema, { modelSpec, outputs });
    expect(refusalOf(() => decodePredictResponse(message)).code).toBe("unavailable");
  });
});

test("packed strings are lengths and then bytes, and what is no text stays bytes", () => {
  const tensorContent = Uint8Array.of(1, 0, 2, 65, 0xff, 0xfe);
  const { inputs } = predict({ dtype: DT_STRING, ...sized(3), tensorContent });
  expect(inputs[0]?.data).toEqual(["A", "", Uint8Array.of(0xff, 0xfe)]);
});

test("a tensor without a shape is a single value", () => {
  const { inputs } = predict({ dtype: DT_FLOAT, floatVal: [2] });
  expect(inputs).toEqual([{ name: "x", datatype: "FP32", shape: [], data: Float32Array.of(2) }]);
});

describe("a call is refused when", () => {
  test.each<[string, () => unknown, string]>([
    [
      "it names no model",
      () => decodePredictRequest(create(PredictRequestSchema, {})),
      "model_spec.name",
    ],
    [
      "its version is below 0",
      () =>
        decodePredictRequest(
          create(PredictRequestSchema, {
            modelSpec: { ...modelSpec, versionChoice: { case: "version", value: { value: -1n } } },
          }),
        ),
      "model_spec.version",
    ],
    [
      "it filters thousands of outputs",
      () =>
        decodePredictRequest(
          create(PredictRequestSchema, {
            modelSpec,
            outputFilter: new Array<string>(1025).fill("y"),
          }),
        ),
      "output_filter",
    ],
    [
      "it has no examples",
      () => decodeExampleRequest(create(ClassificationRequestSchema, { modelSpec })),
      "input",
    ],
    [
      "it asks for metadata of another kind",
      () =>
        decodeMetadataRequest(
          create(GetModelMetadataRequestSchema, { modelSpec, metadataField: ["graph"] }),
        ),
      "metadata_field",
    ],
    [
      "it asks for no metadata",
      () => decodeMetadataRequest(create(GetModelMetadataRequestSchema, { modelSpec })),
      "metadata_field",
    ],
    [
      "it has no tasks",
      () => decodeMultiInference(create(MultiInferenceRequestSchema, {})),
      "tasks",
    ],
    [
      "a task has another method",
      () =>
        decodeMultiInference(
          create(MultiInferenceRequestSchema, { tasks: [{ modelSpec, methodName: "predict" }] }),
        ),
      "tasks[0].method_name",
    ],
    [
      "a task names no model",
      () =>
        decodeMultiInference(
          create(MultiInferenceRequestSchema, {
            tasks: [{ methodName: "tensorflow/serving/regress" }],
          }),
        ),
      "tasks[0].model_spec.name",
    ],
    [
      "a configuration is of another kind",
      () => decodeReloadConfig(create(ReloadConfigRequestSchema, {})),
      "config",
    ],
    ["a configured model has no folder", () => reload([{ name: "a" }]), `${CONFIG}[0].base_path`],
    ["a configured model has no name", () => reload([{ basePath: "/a" }]), `${CONFIG}[0].name`],
    [
      "a model is configured twice",
      () =>
        reload([
          { name: "a", basePath: "/a" },
          { name: "a", basePath: "/b" },
        ]),
      `${CONFIG}[1].name`,
    ],
  ])("%s", (_, run, field) => {
    const error = refusalOf(run);
    expect(error.code).toBe("invalid_argument");
    expect(error.details[0]?.field).toBe(field);
  });
});

const CONFIG = "config.model_config_list.config";

function reload(config: { name?: string; basePath?: string }[]) {
  const message = { config: { config: { case: "modelConfigList" as const, value: { config } } } };
  return decodeReloadConfig(create(ReloadConfigRequestSchema, message));
}

test("another server's metadata without signatures makes its model unusable", () => {
  const broken = {
    typeUrl: "type.googleapis.com/tensorflow.serving.SignatureDefMap",
    value: Uint8Array.of(10, 9),
  };
  for (const metadata of [{}, { signature_def: { typeUrl: "a/b" } }, { signature_def: broken }]) {
    const message = create(GetModelMetadataResponseSchema, { metadata });
    expect(refusalOf(() => decodeMetadataResponse(message)).code).toBe("unavailable");
  }
});

describe("an answer", () => {
  test("names its version only where that is a whole number", () => {
    expect(encodeModelSpec({ model: "m", version: "12" })).toMatchObject({
      versionChoice: { case: "version", value: { value: 12n } },
    });
    expect(encodeModelSpec({ model: "m", version: "1.2.0" })).toEqual({
      name: "m",
      signatureName: "",
    });
    expect(encodeModelSpec({ model: "m", label: "stable" })).toMatchObject({
      versionChoice: { case: "versionLabel", value: "stable" },
    });
    expect(toVersionNumber("9223372036854775808")).toBeUndefined();
  });

  test("has the classes and numbers of each example", () => {
    const classes = [[{ label: "a", score: 0.5 }], []];
    const classified = encodeClassificationResponse({ model: "m" }, classes);
    expect(classified.result?.classifications.map((each) => each.classes.length)).toEqual([1, 0]);
    expect(classified.result?.classifications[0]?.classes[0]).toMatchObject({
      label: "a",
      score: 0.5,
    });
    const regressed = encodeRegressionResponse({ model: "m" }, [1.5, 2]);
    expect(regressed.result?.regressions.map(({ value }) => value)).toEqual([1.5, 2]);
    const both = encodeMultiInference([
      { model: "m", classifications: classes },
      { model: "m", regressions: [1] },
    ]);
    expect(both.results.map(({ result }) => result.case)).toEqual([
      "classificationResult",
      "regressionResult",
    ]);
  });

  test("carries the status of a version and of a change", () => {
    const error = new SluiceError("not_found", "No such folder.");
    const { modelVersionStatus } = encodeStatusResponse([
      { version: 1n, state: "AVAILABLE" },
      { version: 2n, state: "END", error },
    ]);
    expect(modelVersionStatus.map(({ state, status }) => [state, status?.errorCode])).toEqual([
      [30, 0],
      [50, 5],
    ]);
    expect(encodeReloadConfigResponse(error).status?.errorMessage).toBe("No such folder.");
  });
});

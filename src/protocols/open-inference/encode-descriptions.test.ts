import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { TensorSignature } from "../../core/ports/tensor.ts";
import { decodeMetadata } from "./decode-metadata.ts";
import { encodeConfig } from "./encode-config.ts";
import { encodeOpenInferenceError } from "./encode-error.ts";
import { encodeHealth, encodeModelReady } from "./encode-health.ts";
import { encodeModelMetadata, encodeServerMetadata } from "./encode-metadata.ts";
import { encodeStatistics } from "./encode-statistics.ts";

const SIGNATURE: TensorSignature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [null, 4] },
    { name: "free", datatype: "BYTES", shape: undefined, isOptional: true },
  ],
  outputs: [{ name: "y", datatype: "BOOL", shape: [] }],
};

test("metadata says -1 where the caller chooses, and is read back by our own client", () => {
  const described = {
    name: "m",
    versions: ["1.0.0"],
    signature: SIGNATURE,
    properties: { task: "tensor" },
  };
  const body = encodeModelMetadata(described);
  expect(JSON.parse(body)).toEqual({
    name: "m",
    versions: ["1.0.0"],
    platform: "onnx_onnxv1",
    inputs: [
      { name: "x", datatype: "FP32", shape: [-1, 4] },
      { name: "free", datatype: "BYTES", shape: [-1], optional: true },
    ],
    outputs: [{ name: "y", datatype: "BOOL", shape: [] }],
    properties: { task: "tensor" },
  });
  const read = decodeMetadata(Buffer.from(body));
  expect(read).toMatchObject({ name: "m", versions: ["1.0.0"], properties: { task: "tensor" } });
  expect(read.signature?.inputs[0]).toEqual(SIGNATURE.inputs[0]);
});

test("the server names the extensions that it speaks", () => {
  expect(JSON.parse(encodeServerMetadata("sluice", "1.2.3"))).toEqual({
    name: "sluice",
    version: "1.2.3",
    extensions: [
      "binary_tensor_data",
      "classification",
      "model_configuration",
      "model_repository",
      "schedule_policy",
      "statistics",
    ],
  });
});

test("health has both words that clients look for", () => {
  expect(JSON.parse(encodeHealth(true))).toEqual({ live: true, ready: true });
  expect(JSON.parse(encodeHealth(false))).toEqual({ live: true, ready: false });
  expect(JSON.parse(encodeModelReady("m", false))).toEqual({ name: "m", ready: false });
});

test("a configuration has whole shapes and Triton's names", () => {
  expect(JSON.parse(encodeConfig("m", SIGNATURE, { task: "tensor" }))).toEqual({
    name: "m",
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    max_batch_size: 0,
    input: [
      { name: "x", data_type: "TYPE_FP32", dims: [-1, 4], optional: false },
      { name: "free", data_type: "TYPE_STRING", dims: [-1], optional: true },
    ],
    output: [{ name: "y", data_type: "TYPE_BOOL", dims: [] }],
    default_model_filename: "model.onnx",
    parameters: { task: { string_value: "tensor" } },
  });
});

test("an error is one text, with the status of its code", () => {
  expect(encodeOpenInferenceError(new SluiceError("overloaded", "Too much."), "r")).toEqual({
    status: 429,
    body: '{"error":"Too much."}',
    contentType: "application/json",
  });
});

test("statistics count in whole nanoseconds", () => {
  const once = { count: 1, ms: 1.4e-6 };
  const none = { count: 0, ms: 0 };
  const never = { count: 0, ns: 0 };
  const statistics = {
    lastInferenceMs: 12.6,
    itemsRun: 3,
    succeeded: once,
    failed: none,
    queue: once,
    runs: once,
    cacheHits: none,
    runsBySize: [{ items: 3, ...once }],
  };
  const body = encodeStatistics([{ name: "m", version: "1.0.0", statistics }]);
  const rounded = { count: 1, ns: 1 };
  expect(JSON.parse(body)).toEqual({
    model_stats: [
      {
        name: "m",
        version: "1.0.0",
        last_inference: 13,
        inference_count: 3,
        execution_count: 1,
        inference_stats: {
          success: rounded,
          fail: never,
          queue: rounded,
          compute_input: never,
          compute_infer: rounded,
          compute_output: never,
          cache_hit: never,
          cache_miss: rounded,
        },
        response_stats: {},
        batch_stats: [
          { batch_size: 3, compute_input: never, compute_infer: rounded, compute_output: never },
        ],
        memory_usage: [],
      },
    ],
  });
});

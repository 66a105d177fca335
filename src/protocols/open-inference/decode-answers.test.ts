import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { decodeInferResponse } from "./decode-infer-response.ts";
import { decodeMetadata } from "./decode-metadata.ts";

const toBytes = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError && error.code === "unavailable") return error.message;
    throw error;
  }
  throw new Error("not refused");
}

test("answers with the nulls of KServe and the parameters of MLServer are read", () => {
  const body = toBytes({
    model_name: "m",
    model_version: null,
    id: null,
    parameters: { content_type: "np", nested: {} },
    outputs: [
      { name: "y", shape: [2], datatype: "FP32", parameters: null, data: [0.5, null] },
      {
        name: "z",
        shape: [1, 1],
        datatype: "BYTES",
        parameters: { content_type: "str" },
        data: [["a"]],
      },
    ],
  });
  expect(decodeInferResponse(body, undefined)).toEqual({
    model: "m",
    version: undefined,
    id: undefined,
    outputs: [
      { name: "y", shape: [2], datatype: "FP32", data: new Float32Array([0.5, Number.NaN]) },
      { name: "z", shape: [1, 1], datatype: "BYTES", data: ["a"] },
    ],
  });
});

const output = { name: "y", shape: [2], datatype: "FP32", parameters: { binary_data_size: 8 } };
const json = JSON.stringify({ outputs: [output] });

test.each<[string, Uint8Array, string | undefined, string]>([
  ["too few bytes", toBytes(`${json}1234`), `${json.length}`, "says 8 bytes"],
  ["too many bytes", toBytes(`${json}123456789`), `${json.length}`, "body has 1 bytes after"],
  ["no JSON", toBytes("<html>"), undefined, "body is not valid JSON"],
  ["an empty body", toBytes(""), "0", "body is empty"],
  ["no outputs", toBytes({}), undefined, "outputs must be a list of tensors"],
])("an answer with %s is the server's fault", (_name, body, header, problem) => {
  const message = problemOf(() => decodeInferResponse(body, header));
  expect(message).toContain("The model's server answers in no way that this one reads: ");
  expect(message).toContain(problem);
});

test("metadata becomes a signature: sizes below 0 are open", () => {
  const body = toBytes({
    name: "m",
    versions: ["1", "2"],
    platform: "onnxruntime_onnx",
    inputs: [
      { name: "x", datatype: "FP32", shape: [-1, 4] },
      { name: "y", datatype: "BYTES", shape: ["-1", "3"], optional: true },
    ],
    outputs: [{ name: "z", datatype: "INT64" }],
    properties: { task: "tensor", nested: {} },
  });
  expect(decodeMetadata(body)).toEqual({
    name: "m",
    versions: ["1", "2"],
    platform: "onnxruntime_onnx",
    signature: {
      inputs: [
        { name: "x", datatype: "FP32", shape: [null, 4] },
        { name: "y", datatype: "BYTES", shape: [null, 3], isOptional: true },
      ],
      outputs: [{ name: "z", datatype: "INT64", shape: undefined }],
    },
    properties: { task: "tensor" },
  });
});

test("a server that names no tensors has no signature", () => {
  const body = toBytes({ name: "m", versions: null, platform: "", inputs: [], outputs: null });
  expect(decodeMetadata(body)).toEqual({
    name: "m",
    versions: [],
    platform: undefined,
    signature: undefined,
    properties: {},
  });
});

test.each<[string, unknown, string]>([
  [
    "a datatype of its own",
    { name: "x", datatype: "BF16", shape: [] },
    "is BF16, which is not supported",
  ],
  ["no datatype", { name: "x", shape: [] }, "has an unknown datatype"],
  ["a wrong shape", { name: "x", datatype: "FP32", shape: ["a"] }, "inputs[0].shape must be"],
  ["no name", { datatype: "FP32" }, "inputs[0].name must be a name"],
])("metadata with %s is the server's fault", (_name, spec, problem) => {
  expect(problemOf(() => decodeMetadata(toBytes({ inputs: [spec] })))).toContain(problem);
});

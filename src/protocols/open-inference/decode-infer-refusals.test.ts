import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { TensorSignature } from "../../core/ports/tensor.ts";
import { decodeInfer } from "./decode-infer.ts";

const SIGNATURE: TensorSignature = {
  inputs: [{ name: "x", datatype: "FP32", shape: [null, 2] }],
  outputs: [{ name: "z", datatype: "FP32", shape: [null] }],
};
const X = { name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] };

function refusalOf(body: Uint8Array): string {
  try {
    decodeInfer(body, undefined, SIGNATURE, { maxJsonDepth: 20 });
  } catch (error) {
    if (error instanceof SluiceError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("not refused");
}

test.each<[string, unknown, string]>([
  ["an empty body", "", "body is empty; send a JSON object."],
  ["no JSON", "{", "body is not valid JSON."],
  [
    "a bare NaN",
    `{"inputs":[{"name":"x","data":[NaN]}]}`,
    "body is not valid JSON; NaN and infinities can only be sent as binary data.",
  ],
  ["a list", [], "body must be a JSON object."],
  ["a bomb", `{"inputs":${"[".repeat(1e5)}`, "body nests lists and objects more than 20 deep."],
  ["no inputs", {}, "inputs must be a list of tensors; found nothing."],
  [
    "an input that is no object",
    { inputs: [1] },
    "inputs[0] must be an object; found the number 1.",
  ],
  [
    "thousands of inputs",
    { inputs: Array.from({ length: 1025 }, () => X) },
    "inputs may hold 1024 tensors; found 1025.",
  ],
  ["an input twice", { inputs: [X, X] }, "inputs.x is given twice."],
  [
    "no shape",
    { inputs: [{ ...X, shape: undefined }] },
    "inputs[0].shape must be a list of whole numbers from 0, of 32 at most; found nothing.",
  ],
  [
    "a size below 0",
    { inputs: [{ ...X, shape: [-1, 2] }] },
    "inputs[0].shape must be a list of whole numbers from 0, of 32 at most; found other values.",
  ],
  [
    "more elements than can be counted",
    { inputs: [{ ...X, shape: [2 ** 31, 2 ** 31, 2 ** 31] }] },
    "inputs[0] has the shape [2147483648, 2147483648, 2147483648], which no tensor has: at most 32 sizes, whole numbers from 0, below 2^31 elements.",
  ],
  [
    "a huge shape of few elements",
    { inputs: [{ ...X, shape: [2 ** 30, 1] }] },
    "inputs[0].data must hold 1073741824 elements, as its shape says; found 2.",
  ],
  [
    "an unknown datatype",
    { inputs: [{ ...X, datatype: "float" }] },
    "inputs[0] has an unknown datatype; known are BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BYTES.",
  ],
  [
    "no data",
    { inputs: [{ ...X, data: undefined }] },
    "inputs[0].data is missing; send it, or binary_data_size as a parameter.",
  ],
  [
    "a number out of range",
    `{"inputs":[{"name":"x","datatype":"FP64","shape":[1,2],"data":[1,1e999]}]}`,
    "inputs[0].data[1] must be a number up to 1.8e308, or null for NaN; found the number Infinity.",
  ],
  [
    "a fraction where whole numbers belong",
    { inputs: [{ ...X, datatype: "INT8", data: [1, 2.5] }] },
    "inputs[0].data[1] must be a whole number from -128 to 127; found the number 2.5.",
  ],
  [
    "ragged lists",
    { inputs: [{ ...X, data: [[1, 2, 3]] }] },
    "inputs[0].data[0] must be a list of 2; found a list of 3.",
  ],
  ["an id that is no string", { id: 7, inputs: [X] }, "id must be a string; found the number 7."],
  [
    "outputs that are no list",
    { inputs: [X], outputs: "z" },
    "outputs must be a list of up to 1024 outputs; found a string of length 1.",
  ],
  [
    "a truth that is none",
    { inputs: [X], outputs: [{ name: "z", parameters: { binary_data: 1 } }] },
    "outputs[0].parameters.binary_data must be true or false; found the number 1.",
  ],
  [
    "a part of a class",
    { inputs: [X], outputs: [{ name: "z", parameters: { classification: 1.5 } }] },
    "outputs[0].parameters.classification must be a whole number of classes; found the number 1.5.",
  ],
  [
    "a negative priority",
    { inputs: [X], parameters: { priority: -1 } },
    "parameters.priority must be a whole number from 0; found the number -1.",
  ],
  [
    "a sequence",
    { inputs: [X], parameters: { sequence_id: 3, sequence_start: true } },
    "parameters.sequence_id is not supported: no model here keeps a state between requests; leave it out.",
  ],
  [
    "a reserved parameter",
    { inputs: [X], parameters: { triton_secret: 1 } },
    "parameters.triton_secret is a reserved name; use another.",
  ],
  [
    "a parameter that is a list",
    { inputs: [X], parameters: { p: [] } },
    "parameters.p must be a string, number or boolean; found a list.",
  ],
])("%s is refused with its place and the way out", (_name, body, message) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  expect(refusalOf(Buffer.from(text))).toBe(message);
});

test("a body that is no UTF-8 is refused", () => {
  const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  expect(refusalOf(body)).toBe("body is not valid UTF-8.");
});

import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { TensorSignature } from "../../core/ports/tensor.ts";
import { decodeInfer, wantsBinary } from "./decode-infer.ts";

const NUMBERS: TensorSignature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [null, 2] },
    { name: "y", datatype: "INT64", shape: undefined, isOptional: true },
  ],
  outputs: [{ name: "z", datatype: "FP32", shape: [null] }],
};
const TEXTS: TensorSignature = {
  inputs: [
    { name: "text", datatype: "BYTES", shape: [null] },
    { name: "pair", datatype: "BYTES", shape: [null], isOptional: true },
  ],
  outputs: [{ name: "label", datatype: "BYTES", shape: [null] }],
};

const X = { name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] };

function decode(
  body: unknown,
  {
    signature = NUMBERS,
    binary = new Uint8Array(0),
    header,
  }: {
    signature?: TensorSignature;
    binary?: Uint8Array;
    /** `auto`: what a right client says. */
    header?: string;
  } = {},
) {
  const json = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const length = header === "auto" ? String(json.byteLength) : header;
  return decodeInfer(Buffer.concat([json, binary]), length, signature, { maxJsonDepth: 20 });
}

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("not refused");
}

describe("tensors in JSON", () => {
  test.each([
    ["flat", [1, 2, 3, 4]],
    [
      "nested",
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ])("%s data is read row by row", (_name, data) => {
    const { inputs } = decode({ inputs: [{ ...X, shape: [2, 2], data }] });
    expect(inputs).toEqual([{ ...X, shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }]);
  });

  test("whole numbers of 64 bits keep all their digits, as numbers and as strings", () => {
    const data = `[9223372036854775807, -9223372036854775808, "9007199254740993", 1]`;
    const y = `{"name":"y","datatype":"INT64","shape":[4],"data":${data}}`;
    const { inputs } = decode(`{"inputs":[${JSON.stringify(X)},${y}]}`);
    const expected = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 1n];
    expect(inputs[1]?.data).toEqual(new BigInt64Array(expected));
  });

  test("floats with many digits beside 64-bit numbers stay floats", () => {
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[0.12345678901234567,-1234567890123456]},
      {"name":"y","datatype":"INT64","shape":[1],"data":[1234567890123456789]}]}`;
    const [x, y] = decode(body).inputs;
    expect(x?.data).toEqual(Float32Array.of(0.123456789012, -1234567890123456));
    expect(y?.data).toEqual(new BigInt64Array([1_234_567_890_123_456_789n]));
  });

  test("members that are null count as left out, and members that nobody knows do not matter", () => {
    const decoded = decode({
      id: null,
      parameters: null,
      outputs: null,
      model_name: "m",
      inputs: [{ ...X, parameters: null, comment: {} }],
    });
    expect(decoded).toEqual({
      id: undefined,
      parameters: {
        priority: 0,
        timeoutUs: undefined,
        binaryDataOutput: false,
        isCopy: false,
        others: {},
      },
      inputs: [{ ...X, data: new Float32Array([1, 2]) }],
      outputs: undefined,
    });
  });

  test("an empty list of outputs asks for all, as in the other protocols", () => {
    expect(decode({ inputs: [X], outputs: [] }).outputs).toBeUndefined();
  });

  test("no rows are a tensor too", () => {
    const { inputs } = decode({ inputs: [{ ...X, shape: [0, 2], data: [] }] });
    expect(inputs[0]).toMatchObject({ shape: [0, 2], data: new Float32Array(0) });
  });
});

describe("texts", () => {
  const texts = { name: "input-0", datatype: "BYTES", shape: [2], data: ["a", "b"] };

  test("a model of texts takes its one list of texts under any name", () => {
    const { inputs } = decode({ inputs: [texts] }, { signature: TEXTS });
    expect(inputs).toEqual([{ ...texts, name: "text" }]);
  });

  test("a name that the model has means what it says", () => {
    const pair = { ...texts, name: "pair" };
    const refusal = refusalOf(() => decode({ inputs: [pair] }, { signature: TEXTS }));
    expect(refusal).toBe("inputs.text is missing: BYTES [?].");
  });

  test("two lists must be named as the model names them", () => {
    const { inputs } = decode(
      {
        inputs: [
          { ...texts, name: "pair" },
          { ...texts, name: "text" },
        ],
      },
      { signature: TEXTS },
    );
    expect(inputs.map(({ name }) => name)).toEqual(["pair", "text"]);
  });

  test("other models get no input under a wrong name", () => {
    const refusal = refusalOf(() => decode({ inputs: [{ ...X, name: "w" }] }));
    expect(refusal).toContain("inputs.x is missing: FP32 [?, 2]");
  });
});

describe("binary tensors", () => {
  const head = (size: number) => ({
    name: "x",
    datatype: "FP32",
    shape: [1, 2],
    parameters: { binary_data_size: size },
  });
  const bytes = new Uint8Array(new Float32Array([1, 2]).buffer);

  test("they follow the JSON in the order of the inputs, with tensors in JSON between them", () => {
    const y = { name: "y", datatype: "INT64", shape: [1], parameters: { binary_data_size: 8 } };
    const last = new Uint8Array(new BigInt64Array([7n]).buffer);
    const { inputs } = decode(
      { inputs: [head(8), y] },
      { binary: Buffer.concat([bytes, last]), header: "auto" },
    );
    expect(inputs[0]?.data).toEqual(new Float32Array([1, 2]));
    expect(inputs[1]?.data).toEqual(new BigInt64Array([7n]));
  });

  test("where the alignment allows it, the data is the body itself", () => {
    const json = JSON.stringify({ inputs: [head(8)] });
    const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
    const body = new Uint8Array(padded.byteLength + 8);
    body.set(padded);
    body.set(bytes, padded.byteLength);
    const { inputs } = decodeInfer(body, `${padded.byteLength}`, NUMBERS, { maxJsonDepth: 20 });
    const data = inputs[0]?.data as Float32Array;
    expect(data.buffer).toBe(body.buffer);
  });

  test("an empty tensor needs neither data nor header, as KServe's client sends it", () => {
    const empty = { ...head(0), shape: [0, 2], data: null };
    expect(decode({ inputs: [empty] }).inputs[0]?.data).toEqual(new Float32Array(0));
  });

  const binary = { binary: bytes, header: "auto" };
  test.each<[string, unknown, object, string]>([
    [
      "fewer bytes than stated",
      { inputs: [{ ...head(12), shape: [1, 3] }] },
      binary,
      "inputs[0].parameters.binary_data_size says 12 bytes, but the body holds 8 more behind its JSON.",
    ],
    [
      "bytes that belong to no input",
      { inputs: [{ ...head(4), shape: [1, 1] }] },
      binary,
      "body has 4 bytes after the last of its inputs.",
    ],
    [
      "a size that does not fit the shape",
      { inputs: [{ ...head(8), shape: [1, 3] }] },
      binary,
      "inputs[0] has 8 bytes of raw data; FP32 [1, 3] takes 12.",
    ],
    [
      "data in both places",
      { inputs: [{ ...head(8), data: [1, 2] }] },
      binary,
      "inputs[0].data stands beside binary_data_size; send one of the two.",
    ],
    [
      "a size below 0",
      { inputs: [head(-8)] },
      binary,
      "inputs[0].parameters.binary_data_size must be a whole number from 0; found the number -8.",
    ],
    [
      "a binary part that no header announces",
      { inputs: [head(8)] },
      {},
      "inputs[0].parameters.binary_data_size says 8 bytes, but the body holds 0 more behind its JSON.",
    ],
    [
      "a header that is no number",
      { inputs: [X] },
      { header: "-1" },
      "Inference-Header-Content-Length must be a whole number of bytes.",
    ],
    [
      "a header beyond the body",
      "{}",
      { header: "3" },
      "Inference-Header-Content-Length says 3 bytes of JSON, but the body has 2.",
    ],
    [
      "shared memory",
      { inputs: [{ ...X, parameters: { shared_memory_region: "r" } }] },
      {},
      "inputs[0].parameters.shared_memory_region is not supported; send and receive tensors in the body.",
    ],
  ])("%s is refused", (_name, body, options, message) => {
    expect(refusalOf(() => decode(body, options))).toBe(message);
  });
});

describe("raw requests", () => {
  const raw = (bytes: Uint8Array, input: Partial<TensorSignature["inputs"][number]> = {}) =>
    decodeInfer(
      bytes,
      "0",
      {
        ...NUMBERS,
        inputs: [{ name: "x", datatype: "FP32", shape: [null, 2], ...input }],
      },
      { maxJsonDepth: 20 },
    );

  test("the body is the one input, and everything comes back as binary data", () => {
    const decoded = raw(new Uint8Array(8));
    expect(decoded.inputs).toEqual([
      { name: "x", datatype: "FP32", shape: [1, 2], data: new Float32Array(2) },
    ]);
    expect(wantsBinary(decoded, "z")).toBe(true);
  });

  test("the one open size is what the bytes make it", () => {
    expect(raw(new Uint8Array(24)).inputs[0]?.shape).toEqual([3, 2]);
  });

  test("the first of two open sizes is a batch of one", () => {
    const { inputs } = raw(new Uint8Array(24), { shape: [null, 2, null] });
    expect(inputs[0]?.shape).toEqual([1, 2, 3]);
  });

  test("a text is the body as it is, without a length in front", () => {
    const { inputs } = decodeInfer(Buffer.from("Grüße"), "0", TEXTS, { maxJsonDepth: 20 });
    expect(inputs).toEqual([{ name: "text", datatype: "BYTES", shape: [1], data: ["Grüße"] }]);
  });

  test.each<[string, Partial<TensorSignature["inputs"][number]>, string]>([
    ["two open sizes behind a fixed one", { shape: [2, null, null] }, "may leave one size open"],
    ["sizes that nobody states", { shape: undefined }, "needs a model that states sizes"],
    ["bytes that make no row", { shape: [null, 3] }, "has 8 bytes, no multiple of 12"],
    ["several texts", { datatype: "BYTES", shape: [2] }, "is a single text"],
  ])("%s cannot be sent raw", (_name, input, problem) => {
    const refusal = refusalOf(() => raw(new Uint8Array(8), input));
    expect(refusal).toContain(problem);
    expect(refusal).toContain("send the input with JSON");
  });

  test("a model of two inputs cannot be asked raw", () => {
    const { outputs } = NUMBERS;
    const inputs = NUMBERS.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
    const run = () => decodeInfer(new Uint8Array(8), "0", { inputs, outputs }, { maxJsonDepth: 9 });
    expect(refusalOf(run)).toContain("needs a model with one input; this one has 2");
  });
});

test("an output's own word about binary data counts more than the request's", () => {
  const decoded = decode({
    inputs: [X],
    parameters: { binary_data_output: true },
    outputs: [{ name: "a", parameters: { binary_data: false } }, { name: "b" }],
  });
  expect(["a", "b", "c"].map((name) => wantsBinary(decoded, name))).toEqual([false, true, true]);
});

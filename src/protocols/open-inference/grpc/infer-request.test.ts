import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelMetadataResponseSchema,
} from "../../../generated/open_inference_pb.ts";
import { decodeInferResponse } from "./call-remote-model.ts";
import { decodeInferRequest } from "./decode-infer-request.ts";
import { encodeInferResponse } from "./encode-infer-response.ts";
import { encodeModelConfig } from "./encode-model-config.ts";
import { decodeModelMetadata, encodeModelMetadata } from "./model-metadata.ts";
import { decodeParameters, encodeParameters } from "./parameters.ts";

type RequestInit = MessageInitShape<typeof ModelInferRequestSchema>;
type InputInit = NonNullable<RequestInit["inputs"]>[number];

const decode = (init: RequestInit) =>
  decodeInferRequest(create(ModelInferRequestSchema, { modelName: "m", ...init }));

function refusalOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const input = (datatype: string, shape: readonly bigint[], contents?: InputInit["contents"]) => ({
  inputs: [{ name: "x", datatype, shape: [...shape], ...(contents && { contents }) }],
});

describe("a request is refused when", () => {
  const raw = (bytes: number) => ({ rawInputContents: [new Uint8Array(bytes)] });
  test.each<[string, RequestInit, string]>([
    ["it names no model", { modelName: "" }, "model_name is empty"],
    [
      "typed and raw contents are mixed",
      { ...input("INT32", [1n], { intContents: [1] }), ...raw(4) },
      "inputs.x has contents beside raw_input_contents",
    ],
    [
      "raw contents are missing",
      {
        inputs: [
          { name: "x", datatype: "INT8", shape: [1n] },
          { name: "y", datatype: "INT8", shape: [1n] },
        ],
        ...raw(1),
      },
      "raw_input_contents has 1 entries for 2 inputs",
    ],
    ["there are more raw contents than inputs", raw(0), "raw_input_contents has 1 entries for 0"],
    ["raw bytes do not add up", { ...input("FP32", [2n]), ...raw(7) }, "inputs.x has 7 bytes"],
    ["a size is below 0", input("INT32", [-1n], {}), "inputs.x has the shape [-1]"],
    [
      "sizes overflow",
      input("INT32", [1n << 32n, 1n << 32n], {}),
      "inputs.x has the shape [4294967296",
    ],
    [
      "a huge tensor has no elements",
      input("INT64", [1n << 30n], {}),
      "inputs.x has 0 elements in int64_contents",
    ],
    ["a raw size is huge", { ...input("INT64", [1n << 62n]), ...raw(8) }, "inputs.x has the shape"],
    ["the datatype is unknown", input("FLOAT", [1n]), "inputs.x has an unknown datatype"],
    ["the datatype is BF16", { ...input("BF16", [1n]), ...raw(2) }, "inputs.x is BF16, which is"],
    ["FP16 comes typed", input("FP16", [1n], { fp32Contents: [1] }), "inputs.x is FP16"],
    [
      "elements are in the wrong list",
      input("FP32", [1n], { fp64Contents: [1] }),
      "inputs.x is FP32, so its elements belong into fp32_contents; found fp64_contents",
    ],
    [
      "elements are in two lists",
      input("FP32", [1n], { fp32Contents: [1], intContents: [1] }),
      "found int_contents",
    ],
    [
      "elements do not add up",
      input("BOOL", [2n, 2n], { boolContents: [true] }),
      "inputs.x has 1 elements in bool_contents; its shape [2, 2] has 4",
    ],
    [
      "an element is out of range",
      input("INT8", [2n], { intContents: [1, 128] }),
      "inputs.x has 128 as element 1, which is no INT8",
    ],
    [
      "an unsigned element is out of range",
      input("UINT16", [1n], { uintContents: [65_536] }),
      "which is no UINT16",
    ],
    [
      "an input is in shared memory",
      {
        inputs: [
          {
            name: "x",
            datatype: "INT8",
            shape: [1n],
            parameters: {
              shared_memory_region: { parameterChoice: { case: "stringParam", value: "a" } },
            },
          },
        ],
      },
      "inputs.x is in shared memory",
    ],
    [
      "an output shall go to shared memory",
      {
        outputs: [
          {
            name: "y",
            parameters: {
              shared_memory_region: { parameterChoice: { case: "stringParam", value: "a" } },
            },
          },
        ],
      },
      "outputs[0] is in shared memory",
    ],
    [
      "it has thousands of inputs",
      { inputs: Array.from({ length: 1025 }, () => ({ name: "x" })) },
      "inputs are 1025; send at most 1024",
    ],
    [
      "it wants thousands of outputs",
      { outputs: Array.from({ length: 1025 }, () => ({ name: "x" })) },
      "outputs are 1025; send at most 1024",
    ],
  ])("%s", (_, init, message) => {
    const error = refusalOf(() => decode(init));
    expect(error.code).toBe("invalid_argument");
    expect(error.message).toContain(message);
    expect(error.details).toHaveLength(1);
  });
});

describe("a request", () => {
  test("may leave out version, id, parameters and outputs", () => {
    expect(decode({})).toEqual({
      model: "m",
      version: undefined,
      id: "",
      parameters: {},
      inputs: [],
      outputs: undefined,
      isRaw: false,
    });
  });

  test("of aligned raw contents is not copied, though the message came as a Buffer", () => {
    const message = create(ModelInferRequestSchema, {
      modelName: "m",
      inputs: [{ name: "x", datatype: "UINT8", shape: [1000n] }],
      rawInputContents: [new Uint8Array(1000).fill(7)],
    });
    const body = Buffer.from(toBinary(ModelInferRequestSchema, message));
    const { inputs } = decodeInferRequest(fromBinary(ModelInferRequestSchema, body));
    const data = inputs[0]?.data as Uint8Array;
    expect(data.buffer).toBe(body.buffer);
    expect(Buffer.isBuffer(data)).toBe(false);
    expect(data.every((value) => value === 7)).toBe(true);
  });

  test("keeps parameters of every kind apart from those without a value", () => {
    const { parameters } = decode({
      parameters: {
        text: { parameterChoice: { case: "stringParam", value: "a" } },
        large: { parameterChoice: { case: "uint64Param", value: 2n ** 64n - 1n } },
        share: { parameterChoice: { case: "doubleParam", value: 0.5 } },
        none: {},
      },
    });
    expect(parameters).toEqual({ text: "a", large: 2 ** 64, share: 0.5 });
  });
});

test("parameters that were written are read", () => {
  const parameters = { a: "x", b: true, c: -7, d: 0.25, e: 1e300 };
  const { parameters: written } = create(ModelInferRequestSchema, {
    parameters: encodeParameters(parameters),
  });
  expect(decodeParameters(written)).toEqual(parameters);
});

describe("an answer", () => {
  const half: Tensor = { name: "h", datatype: "FP16", shape: [1], data: Uint16Array.of(0x3c00) };
  const text: Tensor = {
    name: "t",
    datatype: "BYTES",
    shape: [2],
    data: ["é", Uint8Array.of(255)],
  };

  test("goes out raw when the request was, and typed otherwise", () => {
    const answer = { model: "m", version: "1", id: "7", outputs: [text] };
    const raw = encodeInferResponse(answer, true);
    expect([raw.rawOutputContents.length, raw.outputs[0]?.contents]).toEqual([1, undefined]);
    const typed = encodeInferResponse(answer, false);
    expect(typed.rawOutputContents).toHaveLength(0);
    expect(typed.outputs[0]?.contents?.bytesContents).toHaveLength(2);
    for (const message of [raw, typed]) {
      expect(decodeInferResponse(message).outputs).toEqual([text]);
    }
  });

  test("with an FP16 output goes out raw as a whole", () => {
    const answer = { model: "m", version: undefined, outputs: [text, half] };
    const message = encodeInferResponse(answer, false);
    expect(message.rawOutputContents).toHaveLength(2);
    expect(message.outputs.every(({ contents }) => contents === undefined)).toBe(true);
    expect(decodeInferResponse(message).outputs).toEqual([text, half]);
  });

  test.each<[string, MessageInitShape<typeof ModelInferResponseSchema>]>([
    ["of too few bytes", { rawOutputContents: [new Uint8Array(3)] }],
    ["of too many raw contents", { rawOutputContents: [new Uint8Array(4), new Uint8Array(4)] }],
    ["without elements", {}],
  ])("%s from another server is that server's fault", (_, init) => {
    const outputs = [{ name: "y", datatype: "FP32", shape: [1n] }];
    const message = create(ModelInferResponseSchema, { outputs, ...init });
    expect(refusalOf(() => decodeInferResponse(message)).code).toBe("unavailable");
  });
});

describe("metadata", () => {
  test("of a tensor of unknown rank says one open dimension", () => {
    const signature = {
      inputs: [{ name: "x", datatype: "FP32" as const, shape: undefined }],
      outputs: [{ name: "y", datatype: "INT64" as const, shape: [2] }],
    };
    const message = encodeModelMetadata({ model: "m", versions: [], platform: "p", signature });
    expect(message.inputs[0]?.shape).toEqual([-1n]);
  });

  test("of a model that we cannot talk to is refused", () => {
    const spec = { name: "x", datatype: "BF16", shape: [1n] };
    const wrong = [
      { inputs: [spec], outputs: [spec] },
      { inputs: [], outputs: [] },
    ];
    for (const lists of wrong) {
      const message = create(ModelMetadataResponseSchema, { name: "m", ...lists });
      expect(refusalOf(() => decodeModelMetadata(message)).code).toBe("unavailable");
    }
  });

  test("as a configuration leaves out the rows when there are batches", () => {
    const signature = {
      inputs: [
        { name: "text", datatype: "BYTES" as const, shape: [null], isOptional: true as const },
      ],
      outputs: [{ name: "scores", datatype: "FP32" as const, shape: [null, 3] }],
    };
    const options = { model: "m", platform: "p", backend: "b", signature };
    const batched = encodeModelConfig({ ...options, maxBatchSize: 8 });
    expect([batched.input[0]?.dims, batched.output[0]?.dims]).toEqual([[], [3n]]);
    expect([batched.input[0]?.dataType, batched.input[0]?.optional]).toEqual([13, true]);
    const single = encodeModelConfig({ ...options, maxBatchSize: 0 });
    expect([single.input[0]?.dims, single.output[0]?.dims]).toEqual([[-1n], [-1n, 3n]]);
  });
});

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { readGolden, readGoldenTensors, toPlain } from "../../../../test/support/golden-tensors.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelMetadataResponseSchema,
  RepositoryModelLoadRequestSchema,
} from "../../../generated/open_inference_pb.ts";
import { createMessageDecoder } from "../../message-decoder.ts";
import { decodeInferResponse, encodeInferRequest } from "./call-remote-model.ts";
import { decodeInferRequest } from "./decode-infer-request.ts";
import { encodeInferResponse } from "./encode-infer-response.ts";
import { decodeModelMetadata, encodeModelMetadata } from "./model-metadata.ts";
import { decodeRepositoryModel } from "./repository-model.ts";

/*
 * The golden messages were made with the stubs of tritonclient 2.73.0 (PyPI); those of kserve 0.21.0 make the very same
 * bytes. `tritonclient-request` was made by that client's own code, `kserve-load` with kserve's stubs. `tensors.json`
 * says what is in them: every datatype with its extremes, as a row, a box, a single value and without elements.
 */
const FOLDER = "open-inference-grpc";
const EXPECTED = readGoldenTensors(FOLDER);

const decodeRequest = createMessageDecoder(ModelInferRequestSchema);
const decodeResponse = createMessageDecoder(ModelInferResponseSchema);
const read = (name: string) => readGolden(`${FOLDER}/${name}.bin`);
const readRequest = (name: string) => decodeInferRequest(decodeRequest(read(name)));
const toTensors = (tensors: readonly Tensor[]) =>
  new Map(tensors.map((tensor) => [tensor.name, toPlain(tensor)]));
/** FP16 has no typed form. */
const TYPED = new Map([...EXPECTED].filter(([, { datatype }]) => datatype !== "FP16"));

describe("a request", () => {
  test.each([
    ["triton-request-raw", true, EXPECTED],
    ["triton-request-typed", false, TYPED],
    ["tritonclient-request", true, EXPECTED],
  ])("%s means what it was made from", (name, isRaw, expected) => {
    const { inputs, ...rest } = readRequest(name);
    expect(toTensors(inputs)).toEqual(expected);
    expect(rest).toEqual({
      model: "all-kinds",
      version: "3",
      id: "call-1",
      parameters: { priority: 2, who: "me", flag: true },
      outputs: [
        { name: "y", parameters: { classification: 2 } },
        { name: "z", parameters: {} },
      ],
      isRaw,
    });
  });

  test("to another server has the bytes that the official stubs make", () => {
    const { inputs, model, version, id } = readRequest("triton-request-raw");
    const ours = encodeInferRequest({ model, version: version ?? "", id, inputs });
    // The stubs' own message without the maps, whose order is nobody's promise.
    const theirs = fromBinary(ModelInferRequestSchema, read("triton-request-raw"));
    const plain = create(ModelInferRequestSchema, { ...theirs, parameters: {}, outputs: [] });
    expect(toBinary(ModelInferRequestSchema, ours)).toEqual(
      toBinary(ModelInferRequestSchema, plain),
    );
    expect(toTensors(decodeInferRequest(ours).inputs)).toEqual(EXPECTED);
  });
});

describe("an answer", () => {
  test.each([
    ["triton-response-raw", EXPECTED],
    ["triton-response-typed", TYPED],
  ])("%s means what it was made from, and we write the same bytes", (name, expected) => {
    const answer = decodeInferResponse(decodeResponse(read(name)));
    expect(toTensors(answer.outputs)).toEqual(expected);
    expect([answer.model, answer.version, answer.id]).toEqual(["all-kinds", "3", "call-1"]);
    const ours = encodeInferResponse(answer, name.endsWith("raw"));
    expect(toBinary(ModelInferResponseSchema, ours)).toEqual(read(name));
  });
});

test("metadata says -1 where the caller chooses, and we write the same bytes", () => {
  const message = fromBinary(ModelMetadataResponseSchema, read("triton-metadata"));
  const metadata = decodeModelMetadata(message);
  expect(metadata).toEqual({
    model: "m",
    versions: ["1", "2"],
    platform: "onnxruntime_onnx",
    signature: {
      inputs: [{ name: "text", datatype: "BYTES", shape: [null] }],
      outputs: [{ name: "scores", datatype: "FP32", shape: [null, 3] }],
    },
  });
  expect(toBinary(ModelMetadataResponseSchema, encodeModelMetadata(metadata))).toEqual(
    read("triton-metadata"),
  );
});

test.each(["triton-load", "kserve-load"])("%s names its model", (name) => {
  const message = fromBinary(RepositoryModelLoadRequestSchema, read(name));
  expect(decodeRepositoryModel(message)).toBe("m");
});

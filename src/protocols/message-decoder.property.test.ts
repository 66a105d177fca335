import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGolden } from "../../test/support/golden-tensors.ts";
import { SluiceError } from "../core/errors.ts";
import type { TensorSignature } from "../core/ports/tensor.ts";
import { findTensorProblem } from "../core/tensors/tensor-data.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from "../generated/open_inference_pb.ts";
import {
  ClassificationRequestSchema,
  GetModelMetadataResponseSchema,
  MultiInferenceRequestSchema,
  PredictRequestSchema,
  RegressionRequestSchema,
  ReloadConfigRequestSchema,
} from "../generated/tensorflow_serving_pb.ts";
import { createMessageDecoder } from "./message-decoder.ts";
import { decodeInferResponse } from "./open-inference/grpc/call-remote-model.ts";
import { decodeInferRequest } from "./open-inference/grpc/decode-infer-request.ts";
import { toExampleTensors } from "./tensorflow-serving/example-tensors.ts";
import { decodeExampleRequest } from "./tensorflow-serving/grpc/classify.ts";
import { decodeMetadataResponse } from "./tensorflow-serving/grpc/model-metadata.ts";
import { decodeMultiInference } from "./tensorflow-serving/grpc/multi-inference.ts";
import { decodePredictRequest } from "./tensorflow-serving/grpc/predict.ts";
import { decodeReloadConfig } from "./tensorflow-serving/grpc/reload-config.ts";

const OUTPUTS: TensorSignature["outputs"] = [{ name: "y", datatype: "FP32", shape: [null, 2] }];
const TEXTS: TensorSignature = {
  inputs: [{ name: "text", datatype: "BYTES", shape: [null] }],
  outputs: OUTPUTS,
};
const NUMBERS: TensorSignature = {
  inputs: [
    { name: "size", datatype: "FP32", shape: [null, null] },
    { name: "year", datatype: "INT32", shape: [null] },
  ],
  outputs: OUTPUTS,
};

const read = {
  infer: createMessageDecoder(ModelInferRequestSchema),
  inferResponse: createMessageDecoder(ModelInferResponseSchema),
  predict: createMessageDecoder(PredictRequestSchema),
  classify: createMessageDecoder(ClassificationRequestSchema),
  regress: createMessageDecoder(RegressionRequestSchema),
  multi: createMessageDecoder(MultiInferenceRequestSchema),
  reload: createMessageDecoder(ReloadConfigRequestSchema),
  metadata: createMessageDecoder(GetModelMetadataResponseSchema),
};

function assertTensors(tensors: readonly Parameters<typeof findTensorProblem>[0][]): void {
  for (const tensor of tensors) expect(findTensorProblem(tensor)).toBeUndefined();
}

/** Everything that may be done to bytes from outside, by golden file. */
const CASES: readonly (readonly [file: string, run: (bytes: Uint8Array) => void])[] = [
  [
    "open-inference-grpc/tritonclient-request",
    (b) => assertTensors(decodeInferRequest(read.infer(b)).inputs),
  ],
  [
    "open-inference-grpc/triton-request-typed",
    (b) => assertTensors(decodeInferRequest(read.infer(b)).inputs),
  ],
  [
    "open-inference-grpc/triton-response-raw",
    (b) => assertTensors(decodeInferResponse(read.inferResponse(b)).outputs),
  ],
  [
    "tensorflow-serving-grpc/predict-request-content",
    (b) => assertTensors(decodePredictRequest(read.predict(b)).inputs),
  ],
  [
    "tensorflow-serving-grpc/predict-request-lists",
    (b) => assertTensors(decodePredictRequest(read.predict(b)).inputs),
  ],
  [
    "tensorflow-serving-grpc/classify-request",
    (b) => assertTensors(toExampleTensors(decodeExampleRequest(read.classify(b)), TEXTS)),
  ],
  [
    "tensorflow-serving-grpc/regress-request",
    (b) => assertTensors(toExampleTensors(decodeExampleRequest(read.regress(b)), NUMBERS)),
  ],
  [
    "tensorflow-serving-grpc/multi-inference-request",
    (b) => void decodeMultiInference(read.multi(b)),
  ],
  ["tensorflow-serving-grpc/reload-request", (b) => void decodeReloadConfig(read.reload(b))],
  [
    "tensorflow-serving-grpc/metadata-response",
    (b) => void decodeMetadataResponse(read.metadata(b)),
  ],
];

const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), to: fc.nat(255) });

describe.each(CASES)("of %s", (file, run) => {
  const golden = readGolden(`${file}.bin`);

  test("whatever bytes are changed or cut off, the message is read or refused", () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(golden.length), (changes, cut) => {
        const bytes = golden.slice(0, cut % 3 === 0 ? cut : golden.length);
        for (const { at, to } of changes) bytes[Math.floor(at * bytes.length)] = to;
        try {
          run(bytes);
          codes.add("read");
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          codes.add(error.code);
        }
      }),
      { numRuns: 400 },
    );
    for (const code of codes) {
      expect(["read", "invalid_argument", "too_large", "unavailable"]).toContain(code);
    }
    expect(codes.size).toBeGreaterThan(1);
  });
});

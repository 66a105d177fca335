import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { PredictRequest, PredictResponse } from "../../../generated/tensorflow_serving_pb.ts";
import { PredictRequestSchema } from "../../../generated/tensorflow_serving_pb.ts";
import { encodeTensorContent } from "./encode-tensor-proto.ts";
import type { ModelSpecInit } from "./model-spec.ts";
import { encodeModelSpec } from "./model-spec.ts";
import { MAX_FILL_BYTES, readTensorProto } from "./read-tensor-proto.ts";

/** What to ask another server. */
export interface RemoteQuestion extends ModelSpecInit {
  readonly inputs: readonly Tensor[];
  /** Names; left out: all of them. */
  readonly outputs?: readonly string[];
}

/** What another server answered. */
export interface RemoteAnswer {
  readonly model: string;
  /** Digits; `undefined` when that server does not say. */
  readonly version: string | undefined;
  readonly outputs: readonly Tensor[];
}

/** Writes a request to another server, with elements as bytes: views of the inputs, except for BYTES. */
export function encodePredictRequest(question: RemoteQuestion): PredictRequest {
  const { inputs, outputs = [] } = question;
  return create(PredictRequestSchema, {
    modelSpec: encodeModelSpec(question),
    inputs: Object.fromEntries(inputs.map((tensor) => [tensor.name, encodeTensorContent(tensor)])),
    outputFilter: [...outputs],
  });
}

/**
 * Reads another server's answer.
 *
 * @throws SluiceError `unavailable` when it is none that can be read
 */
export function decodePredictResponse({ modelSpec, outputs }: PredictResponse): RemoteAnswer {
  const { name: model = "", versionChoice } = modelSpec ?? {};
  const allowance = { bytes: MAX_FILL_BYTES };
  return {
    model,
    version: versionChoice?.case === "version" ? `${versionChoice.value.value}` : undefined,
    outputs: Object.entries(outputs).map(([name, proto], index) => {
      const read = readTensorProto(name, proto, allowance);
      if ("tensor" in read) return read.tensor;
      const message = `The model's server answers in no way that this one reads: output ${index} ${read.problem}.`;
      throw new SluiceError("unavailable", message);
    }),
  };
}

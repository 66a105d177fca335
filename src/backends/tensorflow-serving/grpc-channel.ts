import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import {
  GetModelMetadataRequestSchema,
  GetModelMetadataResponseSchema,
  GetModelStatusRequestSchema,
  GetModelStatusResponseSchema,
  ModelVersionStatus_State,
  PredictRequestSchema,
  PredictResponseSchema,
} from "../../generated/tensorflow_serving_pb.ts";
import {
  decodePredictResponse,
  encodePredictRequest,
} from "../../protocols/tensorflow-serving/grpc/call-remote-model.ts";
import { decodeMetadataResponse } from "../../protocols/tensorflow-serving/grpc/model-metadata.ts";
import type { ModelSpecInit } from "../../protocols/tensorflow-serving/grpc/model-spec.ts";
import { encodeModelSpec } from "../../protocols/tensorflow-serving/grpc/model-spec.ts";
import type { AttemptCall } from "../remote/attempt.ts";
import { callUnary } from "../remote/call-unary.ts";
import { createGrpcClient } from "../remote/grpc-client.ts";
import type { ModelChannel, RemoteModelOptions } from "../remote/model-channel.ts";

const PREDICT = {
  path: "/tensorflow.serving.PredictionService/Predict",
  request: PredictRequestSchema,
  response: PredictResponseSchema,
} as const;
const METADATA = {
  path: "/tensorflow.serving.PredictionService/GetModelMetadata",
  request: GetModelMetadataRequestSchema,
  response: GetModelMetadataResponseSchema,
} as const;
const STATUS = {
  path: "/tensorflow.serving.ModelService/GetModelStatus",
  request: GetModelStatusRequestSchema,
  response: GetModelStatusResponseSchema,
} as const;

/** What TensorFlow Serving has beside the others. */
export interface TensorFlowServingTarget extends RemoteModelOptions {
  /** Digits; left out: the server chooses. */
  readonly version?: string;
  /** Instead of a version: a label that the servers know, such as `stable`. */
  readonly label?: string;
  /** Which of the model's signatures to ask. Default `serving_default`. */
  readonly signatureName?: string;
}

/** The signature that is asked where nobody names one. */
export const DEFAULT_SIGNATURE = "serving_default";

/**
 * One model on one server that speaks TensorFlow Serving's gRPC.
 *
 * @throws SluiceError `invalid_argument` when the address is none; `unavailable` when the library is missing
 */
export async function createGrpcChannel(
  url: string,
  options: TensorFlowServingTarget,
): Promise<ModelChannel> {
  const { model, version, label, signatureName = DEFAULT_SIGNATURE } = options;
  const client = await createGrpcClient({ ...options, url });
  const target = { model, version, label };
  const readAvailable = async (spec: ModelSpecInit, call: AttemptCall) => {
    const modelSpec = encodeModelSpec(spec);
    const request = create(GetModelStatusRequestSchema, { modelSpec });
    const { modelVersionStatus } = await callUnary(client, STATUS, request, call);
    return modelVersionStatus.filter(({ state }) => state === ModelVersionStatus_State.AVAILABLE);
  };
  return {
    url,
    async infer({ inputs, outputs }, call) {
      const question = encodePredictRequest({ ...target, signatureName, inputs, outputs });
      return decodePredictResponse(await callUnary(client, PREDICT, question, call)).outputs;
    },
    async describe(call) {
      const modelSpec = encodeModelSpec(target);
      const metadataField = ["signature_def"];
      const request = create(GetModelMetadataRequestSchema, { modelSpec, metadataField });
      const all = decodeMetadataResponse(await callUnary(client, METADATA, request, call));
      const found = all.find((one) => one.signatureName === signatureName);
      return { signature: found && { inputs: found.inputs, outputs: found.outputs } };
    },
    async listVersions(call) {
      const available = await readAvailable({ model }, call);
      return available.map((status) => status.version.toString());
    },
    async assertReady(call) {
      const available = await readAvailable(target, call);
      if (available.length > 0) return;
      throw new SluiceError("unavailable", "The model is not ready on its server.");
    },
    close: () => client.close(),
  };
}

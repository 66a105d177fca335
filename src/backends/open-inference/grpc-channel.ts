import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelMetadataRequestSchema,
  ModelMetadataResponseSchema,
  ModelReadyRequestSchema,
  ModelReadyResponseSchema,
} from "../../generated/open_inference_pb.ts";
import {
  decodeInferResponse,
  encodeInferRequest,
} from "../../protocols/open-inference/grpc/call-remote-model.ts";
import { decodeModelMetadata } from "../../protocols/open-inference/grpc/model-metadata.ts";
import type { AttemptCall } from "../remote/attempt.ts";
import { callUnary } from "../remote/call-unary.ts";
import { createGrpcClient } from "../remote/grpc-client.ts";
import type { ModelChannel, RemoteModelOptions } from "../remote/model-channel.ts";

const SERVICE = "/inference.GRPCInferenceService";

const INFER = {
  path: `${SERVICE}/ModelInfer`,
  request: ModelInferRequestSchema,
  response: ModelInferResponseSchema,
} as const;
const METADATA = {
  path: `${SERVICE}/ModelMetadata`,
  request: ModelMetadataRequestSchema,
  response: ModelMetadataResponseSchema,
} as const;
const READY = {
  path: `${SERVICE}/ModelReady`,
  request: ModelReadyRequestSchema,
  response: ModelReadyResponseSchema,
} as const;

/**
 * One model on one server that speaks the Open Inference Protocol over gRPC, with raw tensors.
 *
 * @throws SluiceError `invalid_argument` when the address is none; `unavailable` when the library is missing
 */
export async function createGrpcChannel(
  url: string,
  options: RemoteModelOptions,
): Promise<ModelChannel> {
  const { model, version = "" } = options;
  const client = await createGrpcClient({ ...options, url });
  const readMetadata = (ofVersion: string, call: AttemptCall) => {
    const request = create(ModelMetadataRequestSchema, { name: model, version: ofVersion });
    return callUnary(client, METADATA, request, call);
  };
  return {
    url,
    async infer({ inputs, outputs }, call) {
      const question = encodeInferRequest({ model, version, inputs, outputs });
      return decodeInferResponse(await callUnary(client, INFER, question, call)).outputs;
    },
    async describe(call) {
      const metadata = await readMetadata(version, call);
      const isStated = metadata.inputs.length > 0 && metadata.outputs.length > 0;
      return { signature: isStated ? decodeModelMetadata(metadata).signature : undefined };
    },
    async listVersions(call) {
      return (await readMetadata("", call)).versions;
    },
    async assertReady(call) {
      const request = create(ModelReadyRequestSchema, { name: model, version });
      const { ready } = await callUnary(client, READY, request, call);
      if (!ready) throw new SluiceError("unavailable", "The model is not ready on its server.");
    },
    close: () => client.close(),
  };
}

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
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
import type { AttemptCall } from "../remote/endpoint-pool.ts";
import { createGrpcClient } from "../remote/grpc-client.ts";
import { readMessage } from "../remote/grpc-message.ts";
import type { ModelChannel, RemoteModelOptions } from "../remote/model-channel.ts";

const SERVICE = "/inference.GRPCInferenceService";

/**
 * One model on one server that speaks the Open Inference Protocol over gRPC, with raw tensors.
 *
 * @throws SluiceError `invalid_argument` when the address is none; `unavailable` when the library is missing
 */
export async function createGrpcChannel(
  url: string,
  options: RemoteModelOptions,
): Promise<ModelChannel> {
  const { model, version } = options;
  const client = await createGrpcClient({ url, ...options });
  const ask = async <Request extends DescMessage, Response extends DescMessage>(
    method: string,
    schemas: readonly [Request, Response],
    message: MessageShape<Request>,
    call: AttemptCall,
  ): Promise<MessageShape<Response>> => {
    const [request, response] = schemas;
    return readMessage(
      response,
      await client.call(`${SERVICE}/${method}`, toBinary(request, message), call),
    );
  };
  const describe = (call: AttemptCall, of: MessageInitShape<typeof ModelMetadataRequestSchema>) =>
    ask(
      "ModelMetadata",
      [ModelMetadataRequestSchema, ModelMetadataResponseSchema],
      create(ModelMetadataRequestSchema, of),
      call,
    );
  return {
    url,
    async infer({ inputs, outputs }, call) {
      const target = version === undefined ? { model } : { model, version };
      const question = encodeInferRequest({ ...target, inputs, outputs });
      const schemas = [ModelInferRequestSchema, ModelInferResponseSchema] as const;
      return decodeInferResponse(await ask("ModelInfer", schemas, question, call)).outputs;
    },
    async describe(call) {
      const metadata = await describe(call, { name: model, version: version ?? "" });
      const isStated = metadata.inputs.length > 0 && metadata.outputs.length > 0;
      return { signature: isStated ? decodeModelMetadata(metadata).signature : undefined };
    },
    async listVersions(call) {
      return (await describe(call, { name: model })).versions;
    },
    async assertReady(call) {
      const { ready } = await ask(
        "ModelReady",
        [ModelReadyRequestSchema, ModelReadyResponseSchema],
        create(ModelReadyRequestSchema, { name: model, version: version ?? "" }),
        call,
      );
      if (!ready) throw new SluiceError("unavailable", "The model is not ready on its server.");
    },
    close: () => client.close(),
  };
}

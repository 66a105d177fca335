import { create, fromJsonString } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import { resolveNamed } from "../../core/graphs/resolve-named.ts";
import type { ModelInferRequest, ModelInferResponse } from "../../generated/open_inference_pb.ts";
import {
  GRPCInferenceService,
  ModelConfigResponseSchema,
  ModelReadyResponseSchema,
  ModelStatisticsResponseSchema,
  ModelStreamInferResponseSchema,
  RepositoryIndexResponseSchema,
  RepositoryModelLoadResponseSchema,
  RepositoryModelUnloadResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema,
} from "../../generated/open_inference_pb.ts";
import { decodeClassCount, toModelInputs } from "../../protocols/open-inference/decode-infer.ts";
import { EXTENSIONS, PLATFORM } from "../../protocols/open-inference/encode-metadata.ts";
import { encodeStatistics } from "../../protocols/open-inference/encode-statistics.ts";
import { decodeInferRequest } from "../../protocols/open-inference/grpc/decode-infer-request.ts";
import { encodeInferResponse } from "../../protocols/open-inference/grpc/encode-infer-response.ts";
import { encodeModelConfig } from "../../protocols/open-inference/grpc/encode-model-config.ts";
import { encodeModelMetadata } from "../../protocols/open-inference/grpc/model-metadata.ts";
import { decodeRepositoryModel } from "../../protocols/open-inference/grpc/repository-model.ts";
import { decodeInferParameters } from "../../protocols/open-inference/infer-parameters.ts";
import type { Call } from "../call.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { GrpcMethod } from "../grpc-method.ts";
import { isServing } from "../routes/health.ts";
import type { InferenceCaller } from "../routes/inference.ts";
import { askOpenInference } from "../routes/open-inference/ask-model.ts";
import { listReadyVersions, SERVER_NAME } from "../routes/open-inference/metadata.ts";
import { changeModel, listRepository } from "../routes/open-inference/repository.ts";
import { readStatistics } from "../routes/open-inference/statistics.ts";
import { streamMethod, unaryMethod } from "./protobuf-method.ts";

const { method } = GRPCInferenceService;

/** `inference.GRPCInferenceService`: the Open Inference Protocol, and what Triton added to it. */
export function createOpenInferenceMethods(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly GrpcMethod[] {
  return [
    ...createInferMethods(inference),
    ...createServerMethods(options),
    ...createModelMethods(options, inference),
    ...createRepositoryMethods(options),
  ];
}

function createInferMethods(inference: InferenceCaller): readonly GrpcMethod[] {
  return [
    unaryMethod(method.modelInfer, "caller", (message, call) => infer(message, call, inference)),
    // A message that fails is answered with its error, and the stream goes on.
    streamMethod(method.modelStreamInfer, "caller", async (message, call) => {
      try {
        const inferResponse = await infer(message, call, inference);
        return create(ModelStreamInferResponseSchema, { inferResponse });
      } catch (thrown) {
        if (!(thrown instanceof SluiceError)) throw thrown;
        const { id } = message;
        return create(ModelStreamInferResponseSchema, {
          errorMessage: thrown.message,
          inferResponse: { id },
        });
      }
    }),
  ];
}

async function infer(
  message: ModelInferRequest,
  call: Call,
  inference: InferenceCaller,
): Promise<ModelInferResponse> {
  const decoded = decodeInferRequest(message);
  const askable = inference.findAskable(decoded.model, decoded.version, "open-inference");
  const answer = await askOpenInference(inference, call, askable, {
    parameters: decodeInferParameters(decoded.parameters),
    inputs: toModelInputs(decoded.inputs, askable.signature),
    outputs: decoded.outputs?.map(({ name, parameters }, index) => ({
      name,
      classification: decodeClassCount(parameters["classification"], `outputs[${index}]`),
    })),
  });
  const { model, version, outputs, truncated } = answer;
  const parameters = truncated ? { truncated } : {};
  return encodeInferResponse(
    { model, version, id: decoded.id, parameters, outputs },
    decoded.isRaw,
  );
}

function createServerMethods(options: GatewayOptions): readonly GrpcMethod[] {
  return [
    unaryMethod(method.serverLive, "public", () =>
      create(ServerLiveResponseSchema, { live: true }),
    ),
    unaryMethod(method.serverReady, "public", () =>
      create(ServerReadyResponseSchema, { ready: isServing(options) }),
    ),
    unaryMethod(method.serverMetadata, "caller", () =>
      create(ServerMetadataResponseSchema, {
        name: SERVER_NAME,
        version: options.version,
        extensions: [...EXTENSIONS],
      }),
    ),
  ];
}

/** An empty version is said by those who name none. */
const named = (version: string) => (version === "" ? undefined : version);

function createModelMethods(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly GrpcMethod[] {
  const { pipeline } = options;
  const find = (name: string, version: string) =>
    inference.findAskable(name, named(version), "open-inference");
  return [
    unaryMethod(method.modelReady, "caller", ({ name, version }) =>
      create(ModelReadyResponseSchema, { ready: isReady(options, name, version) }),
    ),
    unaryMethod(method.modelMetadata, "caller", ({ name, version }) => {
      const { model, signature } = find(name, version);
      const versions = listReadyVersions(pipeline, model);
      return encodeModelMetadata({ model, versions, platform: PLATFORM, signature });
    }),
    unaryMethod(method.modelConfig, "caller", ({ name, version }) => {
      const { model, signature } = find(name, version);
      const shared = { platform: "onnxruntime_onnx", backend: "onnxruntime", maxBatchSize: 0 };
      const config = encodeModelConfig({ model, signature, ...shared });
      return create(ModelConfigResponseSchema, { config });
    }),
    unaryMethod(method.modelStatistics, "caller", ({ name, version }) => {
      if (name !== "") pipeline.registry.resolveAny(name, named(version));
      const target = name === "" ? undefined : { model: name, version: named(version) };
      // The REST answer's JSON is the message's own.
      const json = encodeStatistics(readStatistics(options, target));
      return fromJsonString(ModelStatisticsResponseSchema, json, { ignoreUnknownFields: true });
    }),
  ];
}

function isReady({ pipeline }: GatewayOptions, name: string, version: string): boolean {
  try {
    resolveNamed(pipeline, name, named(version));
    return true;
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === "unavailable") return false;
    throw thrown;
  }
}

function createRepositoryMethods(options: GatewayOptions): readonly GrpcMethod[] {
  return [
    unaryMethod(method.repositoryIndex, "caller", ({ ready }) =>
      create(RepositoryIndexResponseSchema, { models: [...listRepository(options, ready)] }),
    ),
    unaryMethod(method.repositoryModelLoad, "caller", async (message) => {
      const modelName = decodeRepositoryModel(message);
      await changeModel(options, "load", modelName);
      return create(RepositoryModelLoadResponseSchema, { modelName, isLoaded: true });
    }),
    unaryMethod(method.repositoryModelUnload, "caller", async (message) => {
      const modelName = decodeRepositoryModel(message);
      await changeModel(options, "unload", modelName);
      return create(RepositoryModelUnloadResponseSchema, { modelName, isUnloaded: true });
    }),
  ];
}

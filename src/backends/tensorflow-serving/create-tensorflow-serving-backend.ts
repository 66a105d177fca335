import { openChannels } from "../remote/open-channels.ts";
import type { RemoteBackendOptions, RemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import { createRemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import type { TensorFlowServingTarget } from "./grpc-channel.ts";
import { createGrpcChannel } from "./grpc-channel.ts";
import { createHttpChannel } from "./http-channel.ts";

export type TensorFlowServingBackendOptions = TensorFlowServingTarget & RemoteBackendOptions;

/**
 * A model on servers that speak TensorFlow Serving: gRPC at `grpc://host:8500`, REST at `http://host:8501`.
 *
 * @throws SluiceError `invalid_argument` when an address is none, or no server says what the signature reads;
 * `unavailable` when no server answers
 */
export async function createTensorFlowServingBackend(
  options: TensorFlowServingBackendOptions,
): Promise<RemoteTensorBackend> {
  const channels = await openChannels(options, {
    http: async (url) => createHttpChannel(url, options),
    grpc: (url) => createGrpcChannel(url, options),
  });
  const { signature } = options;
  return createRemoteTensorBackend({
    ...options,
    channels,
    signature,
    protocol: "tensorflow serving",
  });
}

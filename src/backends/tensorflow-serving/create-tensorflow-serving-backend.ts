import { SluiceError } from "../../core/errors.ts";
import { openChannels } from "../remote/open-channels.ts";
import type { RemoteBackendOptions, RemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import { createRemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import type { TensorFlowServingTarget } from "./grpc-channel.ts";
import { createGrpcChannel } from "./grpc-channel.ts";

export type TensorFlowServingBackendOptions = TensorFlowServingTarget & RemoteBackendOptions;

/**
 * A model on servers that speak TensorFlow Serving's gRPC: `grpc://host:8500`. Its REST is not spoken.
 *
 * @throws SluiceError `invalid_argument` when an address is none, or no server says what the signature reads;
 * `unavailable` when no server answers
 */
export async function createTensorFlowServingBackend(
  options: TensorFlowServingBackendOptions,
): Promise<RemoteTensorBackend> {
  const channels = await openChannels(options, {
    http: async () => {
      throw new SluiceError(
        "invalid_argument",
        "Servers of TensorFlow Serving are asked over gRPC; write grpc://host:port, with 8500 unless configured otherwise.",
      );
    },
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

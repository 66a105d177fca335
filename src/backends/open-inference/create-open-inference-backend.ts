import type { RemoteModelOptions } from "../remote/model-channel.ts";
import { openChannels } from "../remote/open-channels.ts";
import type { RemoteBackendOptions, RemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import { createRemoteTensorBackend } from "../remote/remote-tensor-backend.ts";
import { createGrpcChannel } from "./grpc-channel.ts";
import { createHttpChannel } from "./http-channel.ts";

export type OpenInferenceBackendOptions = RemoteModelOptions & RemoteBackendOptions;

/**
 * A model on servers that speak the Open Inference Protocol (V2): Triton, KServe, MLServer, OpenVINO, Sluice.
 *
 * @throws SluiceError `invalid_argument` when an address is none, or no server says what the model reads; `unavailable`
 * when no server answers
 */
export async function createOpenInferenceBackend(
  options: OpenInferenceBackendOptions,
): Promise<RemoteTensorBackend> {
  const channels = await openChannels(options, {
    http: async (url) => createHttpChannel(url, options),
    grpc: (url) => createGrpcChannel(url, options),
  });
  const { signature } = options;
  return createRemoteTensorBackend({ ...options, channels, signature, protocol: "open inference" });
}

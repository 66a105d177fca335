import type { TensorSignature } from "../../core/ports/tensor.ts";
import {
  decodeMetadata,
  decodeStatus,
} from "../../protocols/tensorflow-serving/decode-metadata.ts";
import { decodePredictResponse } from "../../protocols/tensorflow-serving/decode-predict-response.ts";
import { encodePredictRequest } from "../../protocols/tensorflow-serving/encode-predict-request.ts";
import { toHttpError } from "../remote/answer-error.ts";
import type { AttemptCall } from "../remote/attempt.ts";
import type { HttpAnswer, HttpCall, HttpClient } from "../remote/http-client.ts";
import { createHttpClient } from "../remote/http-client.ts";
import type { ModelChannel } from "../remote/model-channel.ts";
import type { TensorFlowServingTarget } from "./grpc-channel.ts";
import { DEFAULT_SIGNATURE } from "./grpc-channel.ts";

/**
 * One model on one server that speaks TensorFlow Serving's REST. Tensors go and come as JSON, which is slow for large
 * ones: gRPC carries them as bytes.
 *
 * @throws SluiceError `invalid_argument` when the address is none
 */
export function createHttpChannel(url: string, options: TensorFlowServingTarget): ModelChannel {
  const { model, version, label, signatureName = DEFAULT_SIGNATURE } = options;
  const client = createHttpClient({ baseUrl: url, ...options });
  const modelPath = `/v1/models/${encodeURIComponent(model)}`;
  const path = toVersionPath(modelPath, version, label);
  const get = (at: string, call: AttemptCall) => send(client, { method: "GET", path: at, ...call });
  let known: TensorSignature | undefined = options.signature;
  const describe = async (call: AttemptCall): Promise<TensorSignature> => {
    known ??= decodeMetadata((await get(`${path}/metadata`, call)).body, signatureName);
    return known;
  };
  return {
    url,
    async infer({ inputs }, call) {
      const signature = await describe(call);
      const body = withSignature(encodePredictRequest(inputs), signatureName);
      const headers = { "content-type": "application/json" };
      const answer = await send(client, {
        method: "POST",
        path: `${path}:predict`,
        headers,
        body,
        ...call,
      });
      return decodePredictResponse(answer.body, signature);
    },
    describe: async (call) => ({ signature: await describe(call) }),
    listVersions: async (call) => decodeStatus((await get(modelPath, call)).body),
    async assertReady(call) {
      await get(`${path}/metadata`, call);
    },
    close: () => client.close(),
  };
}

function toVersionPath(
  modelPath: string,
  version: string | undefined,
  label: string | undefined,
): string {
  if (version !== undefined) return `${modelPath}/versions/${encodeURIComponent(version)}`;
  return label === undefined ? modelPath : `${modelPath}/labels/${encodeURIComponent(label)}`;
}

/** The usual one is left out: some servers know no other word for it than none. */
function withSignature(body: string, signatureName: string): string {
  if (signatureName === DEFAULT_SIGNATURE) return body;
  return `{"signature_name":${JSON.stringify(signatureName)},${body.slice(1)}`;
}

async function send(client: HttpClient, call: HttpCall): Promise<HttpAnswer> {
  const answer = await client.send(call);
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw toHttpError(answer);
}

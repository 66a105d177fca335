import { decodeInferResponse } from "../../protocols/open-inference/decode-infer-response.ts";
import { decodeMetadata } from "../../protocols/open-inference/decode-metadata.ts";
import { encodeInferRequest } from "../../protocols/open-inference/encode-infer-request.ts";
import { COPY_PARAMETERS } from "../../protocols/open-inference/infer-parameters.ts";
import { HEADER_LENGTH_HEADER } from "../../protocols/open-inference/split-body.ts";
import { toHttpError } from "../remote/answer-error.ts";
import type { AttemptCall } from "../remote/attempt.ts";
import type { HttpAnswer, HttpCall, HttpClient } from "../remote/http-client.ts";
import { createHttpClient } from "../remote/http-client.ts";
import type { ModelChannel, RemoteModelOptions } from "../remote/model-channel.ts";

/** By this name servers say that they read and write tensors as bytes. */
const BINARY_EXTENSION = "binary_tensor_data";

/**
 * One model on one server that speaks the Open Inference Protocol over REST. Tensors go and come as bytes where the
 * server says that it reads them, which it is asked once.
 *
 * @throws SluiceError `invalid_argument` when the address is none
 */
export function createHttpChannel(url: string, options: RemoteModelOptions): ModelChannel {
  const { model, version, areEngines = false } = options;
  const client = createHttpClient({ baseUrl: url, ...options });
  const modelPath = `/v2/models/${encodeURIComponent(model)}`;
  const path =
    version === undefined ? modelPath : `${modelPath}/versions/${encodeURIComponent(version)}`;
  const get = (at: string, call: AttemptCall) => send(client, { method: "GET", path: at, ...call });
  let isBinary: boolean | undefined;
  return {
    url,
    async infer({ inputs, outputs, isCopy }, call) {
      isBinary ??= readsBinary(await get("/v2", call));
      const parameters = isCopy && areEngines ? COPY_PARAMETERS : {};
      const question = { parameters, inputs, outputs };
      const { chunks, headerLength } = encodeInferRequest(question, isBinary);
      const answer = await send(client, {
        method: "POST",
        path: `${path}/infer`,
        headers: toHeaders(headerLength),
        body: chunks,
        ...call,
      });
      const header = answer.headers[HEADER_LENGTH_HEADER];
      const length = Array.isArray(header) ? header.join() : header;
      return decodeInferResponse(answer.body, length).outputs;
    },
    async describe(call) {
      return { signature: decodeMetadata((await get(path, call)).body).signature };
    },
    async listVersions(call) {
      return decodeMetadata((await get(modelPath, call)).body).versions;
    },
    async assertReady(call) {
      await get(`${path}/ready`, call);
    },
    close: () => client.close(),
  };
}

async function send(client: HttpClient, call: HttpCall): Promise<HttpAnswer> {
  const answer = await client.send(call);
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw toHttpError(answer);
}

function toHeaders(headerLength: number | undefined): Readonly<Record<string, string>> {
  if (headerLength === undefined) return { "content-type": "application/json" };
  return {
    "content-type": "application/octet-stream",
    [HEADER_LENGTH_HEADER]: String(headerLength),
  };
}

/** Whether the server's own description names the extension. One that cannot be read says no. */
function readsBinary({ body }: HttpAnswer): boolean {
  try {
    const description: unknown = JSON.parse(body.toString("utf8"));
    if (typeof description !== "object" || description === null) return false;
    return (
      "extensions" in description &&
      Array.isArray(description.extensions) &&
      description.extensions.includes(BINARY_EXTENSION)
    );
  } catch {
    return false;
  }
}

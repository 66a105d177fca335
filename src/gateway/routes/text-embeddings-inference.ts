import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../core/errors.ts";
import { resolveNamedTask } from "../../core/graphs/resolve-named.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import type { TextTask } from "../../core/models/manifest.ts";
import type { InspectedToken } from "../../core/ports/token-inspector.ts";
import { normalizeText } from "../../core/text/normalize.ts";
import { encodeComputeHeaders } from "../../protocols/text-embeddings-inference/compute-headers.ts";
import type { Operation } from "../../protocols/text-embeddings-inference/decide-operation.ts";
import { decideOperation } from "../../protocols/text-embeddings-inference/decide-operation.ts";
import { decodeEmbed } from "../../protocols/text-embeddings-inference/decode-embed.ts";
import type { DecodedTexts } from "../../protocols/text-embeddings-inference/decode-predict.ts";
import { decodePredict } from "../../protocols/text-embeddings-inference/decode-predict.ts";
import { decodeRerank } from "../../protocols/text-embeddings-inference/decode-rerank.ts";
import { decodeSimilarity } from "../../protocols/text-embeddings-inference/decode-similarity.ts";
import { decodeTokenize } from "../../protocols/text-embeddings-inference/decode-tokenize.ts";
import { encodeEmbed } from "../../protocols/text-embeddings-inference/encode-embed.ts";
import { encodeError } from "../../protocols/text-embeddings-inference/encode-error.ts";
import { encodeInfo } from "../../protocols/text-embeddings-inference/encode-info.ts";
import { encodePredict } from "../../protocols/text-embeddings-inference/encode-predict.ts";
import { encodeRerank } from "../../protocols/text-embeddings-inference/encode-rerank.ts";
import { encodeSimilarity } from "../../protocols/text-embeddings-inference/encode-similarity.ts";
import { encodeTokenize } from "../../protocols/text-embeddings-inference/encode-tokenize.ts";
import type { Answer } from "../answer.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import type { InferenceCaller } from "./inference.ts";

/**
 * What clients of Text Embeddings Inference and of Hugging Face's task API call. Both post to `/` too, where the body or
 * else the default model says what is asked.
 */
export function createTextEmbeddingsRoutes(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  const ask = createAsk(options, inference);
  const post = (path: string, summary: string, operation: Operation): Route => ({
    ...SHARED,
    method: "POST",
    path,
    schema: describe(summary),
    handle: (request) => ask(request, operation, false),
  });
  const anything = (path: string, isTaskApi: boolean): Route => ({
    ...SHARED,
    method: "POST",
    path,
    schema: describe("Whatever the default model is for"),
    handle: (request) => ask(request, decideOperation(request.body, taskOf(options)), isTaskApi),
  });
  return [
    post("/predict", "Labels of texts or pairs", "predict"),
    post("/embed", "Vectors of texts", "embed"),
    post("/rerank", "Texts by how well they answer a query", "rerank"),
    post("/similarity", "How similar texts are to another", "similarity"),
    anything("/", true),
    anything("/invocations", false),
    createTokenizeRoute(options),
    createInfoRoute(options),
    ...UNSUPPORTED.map(createUnsupportedRoute),
  ];
}

const SHARED = { access: "caller", encodeError } as const;

function describe(summary: string): object {
  return { summary, tags: ["text embeddings inference"], security: [{}, { apiKey: [] }] };
}

/** One operation: how its requests are read, which models do it, and how its answers are written. */
interface Exchange {
  readonly tasks: readonly TextTask[];
  readonly decoded: DecodedTexts;
  encode(result: InferenceResult): string;
}

function createExchange(
  request: FastifyRequest,
  operation: Operation,
  isTaskApi: boolean,
  { limits }: GatewayOptions,
): Exchange {
  const { body } = request;
  if (operation === "predict") {
    const decoded = decodePredict(body, limits, { isTaskApi });
    const tasks = ["classification", "scoring"] as const;
    return { tasks, decoded, encode: (result) => encodePredict(result, decoded) };
  }
  if (operation === "rerank") {
    const decoded = decodeRerank(body, limits);
    return { tasks: ["scoring"], decoded, encode: (result) => encodeRerank(result, decoded) };
  }
  if (operation === "similarity") {
    const decoded = decodeSimilarity(body, limits);
    const encode = (result: InferenceResult) => encodeSimilarity(result, decoded);
    return { tasks: ["embedding"], decoded, encode };
  }
  const decoded = decodeEmbed(body, limits);
  return { tasks: ["embedding"], decoded, encode: (result) => encodeEmbed(result, decoded) };
}

type Ask = (request: FastifyRequest, operation: Operation, isTaskApi: boolean) => Promise<Answer>;

function createAsk(options: GatewayOptions, inference: InferenceCaller): Ask {
  const { pipeline, defaultModel } = options;
  return async (request, operation, isTaskApi) => {
    const { tasks, decoded, encode } = createExchange(request, operation, isTaskApi, options);
    const wanted = { tasks, model: decoded.model, defaultModel };
    const { model, serving } = await resolveNamedTask(pipeline, wanted);
    const call = inference.callOf(request);
    const result = await inference.run(call, { ...decoded, model });
    const headers = encodeComputeHeaders({
      computeType: serving.backend.description,
      inputs: decoded.inputs,
      tokens: undefined,
      totalMs: pipeline.clock.nowMs() - call.startedMs,
      timings: result.timings,
    });
    return { ...jsonAnswer(200, encode(result)), headers };
  };
}

/** What the default model is for; while it is not ready, asking it will tell so. */
function taskOf({ pipeline, defaultModel }: GatewayOptions): TextTask {
  const status = pipeline.registry
    .list()
    .find(({ model, isDefault }) => model === defaultModel && isDefault);
  return status?.serving?.manifest.task ?? "classification";
}

const ANY_TASK = ["classification", "embedding", "scoring"] as const;

/** `POST /tokenize`. */
function createTokenizeRoute({ limits, pipeline, defaultModel }: GatewayOptions): Route {
  return {
    ...SHARED,
    method: "POST",
    path: "/tokenize",
    schema: describe("How the model's tokenizer reads texts"),
    handle: async (request) => {
      const decoded = decodeTokenize(request.body, limits);
      const { model, texts } = decoded;
      const wanted = { tasks: ANY_TASK, model, defaultModel };
      const { inspector, manifest } = (await resolveNamedTask(pipeline, wanted)).serving;
      if (inspector === undefined) {
        const problem = `${manifest.name} reads counts of letters and words, which are no tokens`;
        throw new SluiceError("invalid_argument", `${problem}.`, {
          details: [{ field: "model", problem }],
        });
      }
      const tokens: (readonly InspectedToken[])[] = [];
      for (const text of texts) tokens.push(await inspector.inspect(normalizeText(text)));
      return jsonAnswer(200, encodeTokenize(tokens, decoded));
    },
  };
}

/** `GET /info`. */
function createInfoRoute(options: GatewayOptions): Route {
  const { batching, limits, pipeline, defaultModel, version } = options;
  return {
    ...SHARED,
    method: "GET",
    path: "/info",
    schema: describe("The default model, and the limits of requests"),
    handle: async () => {
      const wanted = { tasks: ANY_TASK, model: undefined, defaultModel };
      const { manifest } = (await resolveNamedTask(pipeline, wanted)).serving;
      const info = encodeInfo({
        manifest,
        digest: undefined,
        dataType: "unknown",
        maxConcurrentRequests: batching.maxQueueItems,
        maxInputTokens: manifest.maxTokens ?? batching.maxBatchTokens,
        maxBatchTokens: batching.maxBatchTokens,
        maxBatchItems: batching.maxBatchItems,
        maxTextsPerRequest: limits.maxTextsPerRequest,
        tokenizationWorkers: 1,
        programVersion: version,
      });
      return jsonAnswer(200, info);
    },
  };
}

interface UnsupportedAddress {
  readonly path: string;
  /** Ends a sentence that begins with the path. */
  readonly reason: string;
}

const UNSUPPORTED: readonly UnsupportedAddress[] = [
  {
    path: "/embed_all",
    reason: "needs one vector per token, and models here give one per text; use /embed",
  },
  {
    path: "/embed_sparse",
    reason: "needs a model with a sparse output, and models here give dense vectors; use /embed",
  },
  { path: "/decode", reason: "makes texts of ids, which no tokenizer here does" },
];

function createUnsupportedRoute({ path, reason }: UnsupportedAddress): Route {
  return {
    ...SHARED,
    method: "POST",
    path,
    schema: { hide: true },
    handle: () => {
      throw new SluiceError("invalid_argument", `${path} ${reason}.`, {
        details: [{ field: "model", problem: reason }],
      });
    },
  };
}

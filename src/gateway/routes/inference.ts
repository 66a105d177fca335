import type { FastifyRequest } from "fastify";
import type { Wait } from "../../core/collections/collection.ts";
import { answerTexts } from "../../core/graphs/answer-texts.ts";
import type { Lane } from "../../core/inference/lanes.ts";
import type { InferenceRequest, TextInput } from "../../core/inference/request.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import type { StreamedItem } from "../../core/inference/stream-inference.ts";
import { streamInference } from "../../core/inference/stream-inference.ts";
import type { TensorVersion } from "../../core/models/tensor-version.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import type { AskableModel, ModelAnswer, NamedTensors } from "../../core/tensors/ask-model.ts";
import { askModel, askTensors, findAskable } from "../../core/tensors/ask-model.ts";
import type { TensorResult } from "../../core/tensors/run-tensors.ts";
import type { TensorNaming } from "../../core/tensors/text-signature.ts";
import type { AnswerContext } from "../../protocols/native/encode-context.ts";
import type { DecodedOptions } from "../../protocols/native/field-reader.ts";
import { errorResponseSchema } from "../../protocols/native/schema.ts";
import type { Call } from "../call.ts";
import { toHttpCall } from "../call.ts";
import { createFaultGate } from "../fault-gate.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import { ConnectionWatch } from "../middleware/cancellation.ts";
import { TIMEOUT_HEADER } from "../middleware/deadline.ts";
import { createAnswerTeller } from "../tell-answers.ts";

/** What a protocol's decoder found in a request about texts. */
export interface DecodedRequest extends DecodedOptions {
  readonly inputs: readonly TextInput[];
  /** How long the caller waits, where the protocol has a field for it; milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** What a protocol's decoder found in a request of tensors, once it knew the model and its signature. */
export interface DecodedQuestion {
  readonly inputs: readonly Tensor[];
  /** `undefined` = what the model answers unasked. */
  readonly outputs: readonly string[] | undefined;
  readonly lane: Lane;
  /** A gateway says that no caller of its own asked. Engines alone listen to that. */
  readonly isCopy?: boolean;
  /** As in `DecodedRequest`. */
  readonly timeoutMs?: number | undefined;
}

/** The way from a decoded request to its result, the same for every protocol and transport. */
export interface InferenceCaller {
  /** @throws SluiceError see `toHttpCall` */
  callOf(request: FastifyRequest): Call;
  /** How long and for whom a call waits, for what is no inference but needs some. */
  waitOf(call: Call): Wait;
  /** Asks a model of texts. @throws SluiceError see `answerTexts` */
  run(call: Call, decoded: DecodedRequest): Promise<InferenceResult>;
  /** Asks a model of many texts, and gives each answer as it comes; see `streamInference`. */
  stream(call: Call, decoded: DecodedRequest): AsyncGenerator<StreamedItem, void, undefined>;
  /**
   * The tensor model that a request means; `undefined` = the default model, or the default version.
   *
   * @throws SluiceError see `ModelRegistry.resolveTensors`
   */
  findTensors(model: string | undefined, version: string | undefined): TensorVersion;
  /** @throws SluiceError see `askTensors` */
  runTensors(call: Call, named: NamedTensors, decoded: DecodedQuestion): Promise<TensorResult>;
  /**
   * A model of either kind, as protocols of tensors see it; `undefined` = the default one.
   *
   * @throws SluiceError see `findAskable`
   */
  findAskable(
    model: string | undefined,
    version: string | undefined,
    naming: TensorNaming,
  ): AskableModel;
  /** Asks a model of either kind with tensors. @throws SluiceError see `askModel` */
  ask(call: Call, askable: AskableModel, decoded: DecodedQuestion): Promise<ModelAnswer>;
  /** What the encoders of native answers want to know about `call`. */
  contextOf(call: Pick<Call, "id">): AnswerContext;
}

/** Texts of a streamed request that are asked at once: a few batches of a small model. */
const STREAM_SLICE_TEXTS = 128;

export function createInferenceCaller(options: GatewayOptions): InferenceCaller {
  const { limits, pipeline, defaultModel } = options;
  const connections = new ConnectionWatch();
  const timestampOf = createTimestamps();
  const tell = createAnswerTeller(options);
  const waitOf = (call: Call, timeoutMs: number | undefined) => ({
    flow: call.caller,
    deadlineMs: call.startedMs + Math.min(timeoutMs ?? call.timeoutMs, limits.maxDeadlineMs),
    cancellation: call.cancellation,
  });
  const fault = createFaultGate(options, waitOf);
  const toRequest = (call: Call, decoded: DecodedRequest): InferenceRequest => {
    const { model = defaultModel, version, inputs, options, lane, timeoutMs } = decoded;
    const identity = () => call.identify();
    return { model, version, inputs, options, lane, identity, ...waitOf(call, timeoutMs) };
  };
  return {
    callOf: (request) => toHttpCall(request, limits, connections),
    waitOf: (call) => waitOf(call, undefined),
    run: async (call, decoded) => {
      await fault?.(call, decoded.model, decoded.version, decoded.timeoutMs);
      const result = await answerTexts(toRequest(call, decoded), pipeline);
      call.noteStages({ ...result.timings, cache: cacheOutcome(result), steps: result.steps });
      tell(call, { model: result.model, inputs: decoded.inputs, items: result.items, first: 0 });
      return result;
    },
    stream: async function* (call, decoded) {
      await fault?.(call, decoded.model, decoded.version, decoded.timeoutMs);
      const request = toRequest(call, decoded);
      for await (const streamed of streamInference(request, pipeline, STREAM_SLICE_TEXTS)) {
        const { index: first, item } = streamed;
        const inputs = request.inputs.slice(first, first + 1);
        tell(call, { model: request.model, inputs, items: [item], first });
        yield streamed;
      }
    },
    findTensors: (model, version) =>
      pipeline.registry.resolveTensors(model ?? defaultModel, version),
    runTensors: async (call, named, { timeoutMs, ...decoded }) => {
      const { name, version } = named.tensors.manifest;
      await fault?.(call, name, named.isNamed ? version : undefined, timeoutMs);
      const request = { ...decoded, ...waitOf(call, timeoutMs) };
      const result = await askTensors(named, request, pipeline, () => call.identify());
      const { queueMs, inferMs } = result;
      call.noteStages({ cacheMs: 0, tokenizeMs: 0, queueMs, inferMs, cache: "none" });
      return result;
    },
    findAskable: (model, version, naming) =>
      findAskable(pipeline, model ?? defaultModel, version, naming),
    ask: async (call, askable, { timeoutMs, ...decoded }) => {
      await fault?.(call, askable.model, askable.wantedVersion, timeoutMs);
      const maxTexts = limits.maxTextsPerRequest;
      const identity = () => call.identify();
      const isCopy = options.believesGateways && decoded.isCopy === true;
      const question = { ...decoded, maxTexts, identity, isCopy, ...waitOf(call, timeoutMs) };
      const answer = await askModel(askable, question, pipeline);
      const cache = answer.texts === undefined ? "none" : cacheOutcome(answer.texts);
      if (answer.texts !== undefined && !isCopy) {
        const { model, items } = answer.texts;
        tell(call, { model, inputs: answer.inputs, items, first: 0 });
      }
      call.noteStages({ ...answer.timings, cache });
      return answer;
    },
    contextOf: ({ id }) => ({
      requestId: id,
      timestamp: timestampOf(pipeline.clock.epochMs()),
    }),
  };
}

/** Many answers leave within one millisecond; they share its text. */
function createTimestamps(): (epochMs: number) => string {
  let latestMs = Number.NaN;
  let latest = "";
  return (epochMs) => {
    if (epochMs !== latestMs) {
      latestMs = epochMs;
      latest = new Date(epochMs).toISOString();
    }
    return latest;
  };
}

function cacheOutcome({ items }: InferenceResult): "hit" | "miss" | "partial" {
  const hits = items.filter((item) => item.ok && item.source === "cache").length;
  if (hits === 0) return "miss";
  return hits === items.length ? "hit" : "partial";
}

/** Headers that every request about texts may have, for the OpenAPI document. */
export function describeInferenceHeaders({ maxDeadlineMs }: GatewayOptions["limits"]) {
  return {
    type: "object",
    properties: {
      [TIMEOUT_HEADER]: {
        type: "integer",
        minimum: 1,
        maximum: maxDeadlineMs,
        description:
          "How long the caller waits; afterwards the answer is 504 and nothing is computed.",
      },
    },
  };
}

/** Errors that every request about texts may be answered with, for the OpenAPI document. */
export const INFERENCE_ERRORS = {
  400: { description: "The request is wrong; `details` names the fields.", ...errorResponseSchema },
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  404: {
    description: "No such model or version; the message lists what exists.",
    ...errorResponseSchema,
  },
  413: { description: "The body is too large.", ...errorResponseSchema },
  429: {
    description: "Allowance spent or server overloaded; see Retry-After.",
    ...errorResponseSchema,
  },
  503: { description: "The model is not ready.", ...errorResponseSchema },
  504: { description: "The deadline passed.", ...errorResponseSchema },
};

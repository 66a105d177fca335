import { SluiceError } from "../errors.ts";
import { answerTexts } from "../graphs/answer-texts.ts";
import { resolveNamed } from "../graphs/resolve-named.ts";
import type { Flow } from "../inference/fair-line.ts";
import type { Lane } from "../inference/lanes.ts";
import type { TextInput } from "../inference/request.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { InferenceResult, StageTimings } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { TensorVersion } from "../models/tensor-version.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Tensor, TensorSignature, TensorSpec } from "../ports/tensor.ts";
import { answerReleasedTensors } from "../releases/answer-released-tensors.ts";
import type { RequestIdentity } from "../releases/assign-version.ts";
import { assertRequestFits } from "./check-request.ts";
import type { TensorRequest, TensorResult } from "./run-tensors.ts";
import { runTensors } from "./run-tensors.ts";
import type { TensorNaming } from "./text-signature.ts";
import { extraTextOutputs, TEXT_OUTPUTS, textSignature } from "./text-signature.ts";
import { toTextInputs, toTextOutputs } from "./text-tensors.ts";

/** A model as protocols of tensors see it, whether it reads texts or tensors. A graph is seen as the model that stands for it. */
export interface AskableModel {
  readonly model: string;
  readonly version: string;
  /** What the caller named; `undefined` lets the core choose a version for each text. */
  readonly wantedVersion: string | undefined;
  /** What it reads, and answers unasked. */
  readonly signature: TensorSignature;
  /** What else it can be asked for by name. */
  readonly extraOutputs: readonly TensorSpec[];
  /** One of the two. */
  readonly texts: ServingVersion | undefined;
  readonly tensors: TensorVersion | undefined;
}

/** What a protocol of tensors decodes a request into. */
export interface ModelQuestion {
  /** In any order. */
  readonly inputs: readonly Tensor[];
  /** Names, each once; `undefined` = what the model answers unasked. */
  readonly outputs: readonly string[] | undefined;
  readonly lane: Lane;
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
  readonly flow: Flow;
  /** Most texts. */
  readonly maxTexts: number;
  /** Who asks, for releases; without it, the request gets what is known to be good. */
  readonly identity?: () => RequestIdentity;
  /** Nobody gets the answer, and nothing counts it: a release in another process asks by itself. */
  readonly isCopy?: boolean;
}

/** What such a protocol encodes from. */
export interface ModelAnswer {
  readonly model: string;
  readonly version: string;
  /** In the order asked for. */
  readonly outputs: readonly Tensor[];
  /** A part of some text was not read; see also the output `truncated`. */
  readonly truncated: boolean;
  readonly timings: StageTimings;
  /** What the texts came to; `undefined` for a model of tensors. */
  readonly texts: InferenceResult | undefined;
  /** These texts; none for a model of tensors. */
  readonly inputs: readonly TextInput[];
}

/**
 * The model and version that a request of tensors means.
 *
 * @param version `undefined` = the default one
 * @throws SluiceError `not_found`, `unavailable`
 */
export function findAskable(
  pipeline: Pick<InferencePipeline, "registry" | "graphs">,
  model: string,
  version: string | undefined,
  naming: TensorNaming,
): AskableModel {
  const { serving: texts, tensors } = resolveNamed(pipeline, model, version);
  if (texts !== undefined) {
    const { manifest, readsPairs } = texts;
    return {
      model,
      version: manifest.version,
      wantedVersion: version,
      signature: textSignature(manifest, readsPairs, naming),
      extraOutputs: extraTextOutputs(manifest, naming),
      texts,
      tensors: undefined,
    };
  }
  if (tensors === undefined)
    throw new SluiceError("internal", `${model} is ready without a model.`);
  return {
    model: tensors.manifest.name,
    version: tensors.manifest.version,
    wantedVersion: version,
    signature: tensors.backend.signature,
    extraOutputs: [],
    texts: undefined,
    tensors,
  };
}

/**
 * Answers tensors with tensors. Texts in them take the way of all texts: the same cache, the same batches, whatever
 * protocol brought them.
 *
 * @throws SluiceError `invalid_argument` with one detail per input or output that does not fit, otherwise as
 * `runTensors` and `answerTexts`; the error of the first text that failed, unless the output `error` was asked for
 */
export async function askModel(
  askable: AskableModel,
  question: ModelQuestion,
  pipeline: InferencePipeline,
): Promise<ModelAnswer> {
  const { model, tensors } = askable;
  if (tensors === undefined) return await askTexts(askable, question, pipeline);
  const { maxTexts: _, identity, ...request } = question;
  const named = { tensors, isNamed: askable.wantedVersion !== undefined };
  const result = await askTensors(named, request, pipeline, identity);
  const { outputs, version, queueMs, inferMs } = result;
  const timings = { cacheMs: 0, tokenizeMs: 0, queueMs, inferMs };
  return { model, version, outputs, truncated: false, timings, texts: undefined, inputs: [] };
}

/** A model of tensors, and whether its version was named or is only the one that answers otherwise. */
export interface NamedTensors {
  readonly tensors: TensorVersion;
  readonly isNamed: boolean;
}

/**
 * Answers by a model of tensors: by its release where one is under way and no version was named.
 *
 * @throws SluiceError as `runTensors`
 */
export async function askTensors(
  { tensors, isNamed }: NamedTensors,
  request: TensorRequest,
  pipeline: Pick<InferencePipeline, "registry" | "releases" | "clock">,
  identity: (() => RequestIdentity) | undefined,
): Promise<TensorResult> {
  const { name } = tensors.manifest;
  const released = isNamed
    ? undefined
    : await answerReleasedTensors(name, request, identity, pipeline);
  return released ?? (await runTensors(request, tensors, pipeline.clock));
}

async function askTexts(
  askable: AskableModel,
  question: ModelQuestion,
  pipeline: InferencePipeline,
): Promise<ModelAnswer> {
  const { model, wantedVersion, signature, extraOutputs } = askable;
  const { maxTexts, deadlineMs, cancellation, flow, lane, identity, isCopy = false } = question;
  const inputs = question.inputs.map(toList);
  const known = [...signature.outputs, ...extraOutputs];
  assertRequestFits(inputs, question.outputs, { inputs: signature.inputs, outputs: known });
  const textInputs = toTextInputs(inputs, maxTexts);
  const texts = await answerTexts(
    {
      model,
      version: wantedVersion,
      inputs: textInputs,
      options: { ...MODEL_DEFAULTS, topK: 0 },
      deadlineMs,
      cancellation,
      flow,
      lane,
      isCopy,
      ...(identity !== undefined && { identity }),
    },
    pipeline,
  );
  const wanted = question.outputs ?? [];
  const names = wanted.length > 0 ? wanted : signature.outputs.map(({ name }) => name);
  if (!names.includes(TEXT_OUTPUTS.error)) throwFirstFailure(texts);
  const specs = names.flatMap((name) => known.filter((spec) => spec.name === name));
  return {
    model,
    // Not that of the signature where a release has another one answer.
    version: texts.version,
    outputs: toTextOutputs(texts, specs, askable.texts?.manifest.labels ?? []),
    truncated: texts.items.some((item) => item.ok && item.truncated),
    timings: texts.timings,
    texts,
    inputs: textInputs,
  };
}

/** One text on its own, or lists of one text each, mean a list of texts. */
function toList(input: Tensor): Tensor {
  const [rows = 1, ...rest] = input.shape;
  const isList = rest.length <= 1 && rest.every((size) => size === 1);
  return isList ? { ...input, shape: [rows] } : input;
}

/**
 * For protocols whose answers have no place for the error of a single text.
 *
 * @throws SluiceError of the first text that has no answer, saying which one it is
 */
export function throwFirstFailure({ items }: InferenceResult): void {
  for (const [index, item] of items.entries()) {
    if (item.ok) continue;
    const { code, message, details, retryAfterMs, cause } = item.error;
    const which = items.length > 1 ? `Text ${index} of ${items.length}: ` : "";
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new SluiceError(code, `${which}${message}`, { details, cause, ...wait });
  }
}

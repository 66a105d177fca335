import { SluiceError } from "../core/errors.ts";
import type { ConformanceCase } from "./case.ts";
import { BINARY_CASES } from "./open-inference/binary-cases.ts";
import { DESCRIBE_CASES } from "./open-inference/describe-cases.ts";
import { EXTENSION_CASES } from "./open-inference/extension-cases.ts";
import { INFER_CASES } from "./open-inference/infer-cases.ts";
import { REFUSAL_CASES } from "./open-inference/refusal-cases.ts";
import { REPOSITORY_CASES } from "./open-inference/repository-cases.ts";
import type { OpenInferenceServer } from "./open-inference/server.ts";
import { findOpenInferenceServer } from "./open-inference/server.ts";
import type { Send } from "./raw-http.ts";
import type { CaseReport } from "./run-cases.ts";
import { runCases } from "./run-cases.ts";
import { DESCRIBE_CASES as TENSORFLOW_DESCRIBE_CASES } from "./tensorflow-serving/describe-cases.ts";
import { PREDICT_CASES as TENSORFLOW_PREDICT_CASES } from "./tensorflow-serving/predict-cases.ts";
import type { TensorFlowServer } from "./tensorflow-serving/server.ts";
import { findTensorFlowServer } from "./tensorflow-serving/server.ts";
import { ERROR_CASES } from "./text-embeddings-inference/error-cases.ts";
import { OTHER_CASES } from "./text-embeddings-inference/other-cases.ts";
import { PREDICT_CASES } from "./text-embeddings-inference/predict-cases.ts";
import type { TextServer } from "./text-embeddings-inference/server.ts";
import { findTextServer } from "./text-embeddings-inference/server.ts";

/** What to ask. */
export interface Question {
  readonly send: Send;
  /** Undefined: the first one that the server names. */
  readonly model?: string;
  /** Undefined: the server's choice. */
  readonly modelVersion?: string;
  /** Part of a case's id; see `runCases`. */
  readonly only?: string;
  /** Whether models may be unloaded and loaded again; default: no. */
  readonly allowChanges?: boolean;
}

/** What came of it. */
export interface Judgement {
  readonly model: string | undefined;
  readonly cases: readonly CaseReport[];
}

/** Cases of the Open Inference Protocol, in the order in which they are run. */
export const OPEN_INFERENCE_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  ...DESCRIBE_CASES,
  ...INFER_CASES,
  ...REFUSAL_CASES,
  ...BINARY_CASES,
  ...EXTENSION_CASES,
  ...REPOSITORY_CASES,
];

/** Cases of TensorFlow Serving's REST API. */
export const TENSORFLOW_CASES: readonly ConformanceCase<TensorFlowServer>[] = [
  ...TENSORFLOW_DESCRIBE_CASES,
  ...TENSORFLOW_PREDICT_CASES,
];

/** Cases of Text Embeddings Inference and of Hugging Face's task API. */
export const TEXT_CASES: readonly ConformanceCase<TextServer>[] = [
  ...OTHER_CASES,
  ...PREDICT_CASES,
  ...ERROR_CASES,
];

/**
 * How to judge a server, by protocol. Each throws SluiceError when there is nothing to judge: no connection, no such
 * model, no description of it.
 */
export const PROTOCOLS: Readonly<Record<string, (question: Question) => Promise<Judgement>>> = {
  async "open-inference"({ send, model, modelVersion, only, allowChanges }) {
    const server = await findOpenInferenceServer(send, model, modelVersion, allowChanges);
    return { model: server.model, cases: await runCases(OPEN_INFERENCE_CASES, server, only) };
  },
  async "tensorflow-serving"({ send, model, modelVersion, only }) {
    const server = await findTensorFlowServer(send, model, modelVersion);
    return { model: server.model, cases: await runCases(TENSORFLOW_CASES, server, only) };
  },
  async tei({ send, model: named, modelVersion, only }) {
    if (named !== undefined || modelVersion !== undefined) {
      throw new SluiceError(
        "invalid_argument",
        "Such a server has one model; leave out --model and --model-version.",
      );
    }
    const server = await findTextServer(send);
    const { model_id: model } = server.info;
    return {
      model: typeof model === "string" ? model : undefined,
      cases: await runCases(TEXT_CASES, server, only),
    };
  },
};

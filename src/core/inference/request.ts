import type { Cancellation } from "../ports/cancellation.ts";
import type { ActivationFunction } from "../text/labels.ts";

/** How the scores of one request are computed and cut. */
export interface InferenceOptions {
  /** How many labels to return per text, best first; `undefined` = the model's default, 0 = all. */
  readonly topK: number | undefined;
  /** Overrides what the model's problem type implies; `undefined` = as the model says. */
  readonly functionToApply: ActivationFunction | undefined;
}

/** What every protocol decodes into. The core never learns which protocol that was. */
export interface InferenceRequest {
  readonly model: string;
  /** `undefined` = the version that the routing table gives. */
  readonly version: string | undefined;
  /** One or more texts, each already checked for type and length by the decoder. */
  readonly texts: readonly string[];
  readonly options: InferenceOptions;
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
}

import type { Cancellation } from "../ports/cancellation.ts";
import type { RequestIdentity } from "../releases/assign-version.ts";
import type { ActivationFunction } from "../text/labels.ts";
import type { Flow } from "./fair-line.ts";
import type { Lane } from "./lanes.ts";

/** How the outputs of one request are turned into scores, and cut. */
export interface InferenceOptions {
  /** How many labels to return per text, best first; `undefined` = the model's default, 0 = all. */
  readonly topK: number | undefined;
  /** Overrides what the model's problem type implies; `undefined` = as the model says. */
  readonly functionToApply: ActivationFunction | undefined;
  /** Best score below which no label is given; `undefined` = as the model says. */
  readonly abstainBelow: number | undefined;
}

/** Nothing but the model's own choices. */
export const MODEL_DEFAULTS: InferenceOptions = {
  topK: undefined,
  functionToApply: undefined,
  abstainBelow: undefined,
};

/** A text, or a pair of texts, e.g. a question and a passage. */
export interface TextInput {
  readonly text: string;
  readonly pair: string | undefined;
}

/** What every protocol decodes into. The core never learns which protocol that was. */
export interface InferenceRequest {
  readonly model: string;
  /** `undefined` = the version that the routing table gives. */
  readonly version: string | undefined;
  /** Version that a release gives the caller, who named none; texts in languages that it was not made for go elsewhere all the same. */
  readonly routed?: string;
  /** Who asks, for releases; undefined for what is nobody's in particular, such as a job. */
  readonly identity?: () => RequestIdentity;
  /** A copy that nobody waits for: it touches no cache, and counts nowhere but in its release. */
  readonly isCopy?: boolean;
  /** One or more, each already checked for type and length by the decoder. */
  readonly inputs: readonly TextInput[];
  readonly options: InferenceOptions;
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
  /** Whose share of the model the request uses. */
  readonly flow: Flow;
  readonly lane: Lane;
}

import type { SluiceError } from "../errors.ts";
import type { AnswerSource } from "../ports/inference-observer.ts";
import type { RankedLabel } from "../text/labels.ts";

/** The model's labels in its own order with what it gave each, whatever of it is reported. */
export interface AllScores {
  readonly labels: readonly string[];
  readonly scores: Float32Array;
  /** What the model itself gave, before any function. */
  readonly logits: Float32Array;
}

/** What a model says about one text. */
export type Prediction =
  | {
      readonly kind: "labels";
      /** Best first; empty when the model abstains or no label reaches its threshold. */
      readonly labels: readonly RankedLabel[];
      /** The best label was too uncertain to be given. */
      readonly abstained: boolean;
      /** Everything that the answer was taken from, for protocols that show all of it. */
      readonly all: AllScores;
    }
  | { readonly kind: "vector"; readonly values: Float32Array };

/** A version of a model that had a part in an answer. */
export interface AnsweringModel {
  readonly model: string;
  readonly version: string;
}

/** The answer for one text, or its own error. One bad text never fails its neighbours. */
export type ItemResult =
  | {
      readonly ok: true;
      /** Version that answered: routing by language may send the texts of one request to several. */
      readonly version: string;
      /** Set when a graph answered: the model whose answer this is, or all those that an ensemble made it of. */
      readonly answeredBy?: readonly AnsweringModel[];
      readonly prediction: Prediction;
      readonly source: AnswerSource;
      /** Pieces that the text was read in; 1 unless it is longer than the model reads. */
      readonly windows: number;
      /** The model left out a part of this text. */
      readonly truncated: boolean;
      /** Milliseconds from the start of the request to this answer. */
      readonly durationMs: number;
    }
  | { readonly ok: false; readonly error: SluiceError };

/** Milliseconds per stage; for several texts the longest one, since stages of different texts overlap. */
export interface StageTimings {
  readonly cacheMs: number;
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferMs: number;
}

/** A model that a graph asked. */
export interface StepTiming {
  /** The model, and the version where the graph names one. */
  readonly name: string;
  /** How many texts of the request took this step. */
  readonly texts: number;
  readonly durationMs: number;
}

/** What every protocol encodes from. `items` are in the order of the request's inputs. */
export interface InferenceResult {
  readonly model: string;
  /** Version that the request was routed to before any of its texts was looked at. */
  readonly version: string;
  readonly items: readonly ItemResult[];
  readonly timings: StageTimings;
  /** Set when a graph answered: what it asked, in the order in which it was done. */
  readonly steps?: readonly StepTiming[];
}

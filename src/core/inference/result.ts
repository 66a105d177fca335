import type { SluiceError } from "../errors.ts";
import type { AnswerSource } from "../ports/inference-observer.ts";
import type { RankedLabel } from "../text/labels.ts";

/** The answer for one text: its labels, or its own error. One bad text never fails its neighbours. */
export type ItemResult =
  | {
      readonly ok: true;
      /** Best first. */
      readonly labels: readonly RankedLabel[];
      readonly source: AnswerSource;
      /** The model left out the end of this text. */
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

/** What every protocol encodes from. `items` are in the order of the request's texts. */
export interface InferenceResult {
  readonly model: string;
  readonly version: string;
  readonly items: readonly ItemResult[];
  readonly timings: StageTimings;
}

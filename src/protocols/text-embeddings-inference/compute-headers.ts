import type { TextInput } from "../../core/inference/request.ts";
import type { StageTimings } from "../../core/inference/result.ts";
import { countCharacters } from "../../core/text/normalize.ts";

/** What an answer took. */
export interface ComputeReport {
  /** What computes, such as `cpu`. */
  readonly computeType: string;
  readonly inputs: readonly TextInput[];
  /** Tokens of all texts; `undefined` when nobody counted them. */
  readonly tokens: number | undefined;
  /** From the start of the request. */
  readonly totalMs: number;
  readonly timings: StageTimings;
}

/**
 * The headers that Text Embeddings Inference adds to answers, as name, value, name, value …: whole milliseconds. Its
 * stages are means over the texts of a request and ours the longest of them, since stages of different texts overlap.
 */
export function encodeComputeHeaders(report: ComputeReport): string[] {
  const { timings, totalMs, tokens } = report;
  let characters = 0;
  for (const { text, pair = "" } of report.inputs) {
    characters += countCharacters(text) + countCharacters(pair);
  }
  return [
    ["x-compute-type", report.computeType],
    ["x-compute-time", toWholeMs(totalMs)],
    ["x-compute-characters", String(characters)],
    ...(tokens === undefined ? [] : [["x-compute-tokens", String(tokens)]]),
    ["x-total-time", toWholeMs(totalMs)],
    ["x-tokenization-time", toWholeMs(timings.tokenizeMs)],
    ["x-queue-time", toWholeMs(timings.queueMs)],
    ["x-inference-time", toWholeMs(timings.inferMs)],
  ].flat();
}

function toWholeMs(ms: number): string {
  return String(Math.max(0, Math.round(ms)));
}
